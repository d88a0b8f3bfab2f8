import { toCount, toMoney } from "#app/(portal)/portal/(home)/usage/amounts.ts";
import type { Outputs } from "#trpc/client.tsx";
import { Figures } from "#ui/figures.tsx";
import { RelativeTime } from "#ui/relative-time.tsx";

type Key = Outputs["keys"]["get"];

/** What a key has cost and may cost, how fast it may be used, until when and for what. */
export function KeyFacts({ apiKey }: { apiKey: Key }) {
  const { spend, expires, created_at, models } = apiKey;
  return (
    <Figures
      figures={[
        { label: "Cost", value: toMoney(spend), note: budgetOf(apiKey) },
        { label: "Requests a minute", value: limitOf(apiKey.rpm_limit), note: tokensOf(apiKey) },
        {
          label: "Expires",
          value: expires === null ? "Never" : <RelativeTime iso={expires} />,
          note: (
            <>
              Made <RelativeTime iso={created_at} />
            </>
          ),
        },
        {
          label: "Models",
          value: models.length === 0 ? "All" : toCount(models.length),
          note: models.length === 0 ? "that the team may call" : models.join(", "),
        },
      ]}
    />
  );
}

/** What a key may cost, in words. */
export function budgetOf({ max_budget, budget_duration }: Pick<Key, "max_budget" | "budget_duration">): string {
  if (max_budget === null) return "No budget";
  return `of ${toMoney(max_budget)}${budget_duration === null ? "" : ` every ${budget_duration}`}`;
}

function limitOf(limit: number | null): string {
  return limit === null ? "No limit" : toCount(limit);
}

function tokensOf({ tpm_limit }: Key): string {
  return tpm_limit === null ? "Any number of tokens" : `${toCount(tpm_limit)} tokens a minute`;
}
