import type { Outputs } from "#trpc/client.tsx";
import { Badge } from "#ui/badge.tsx";

const levels: Readonly<Record<string, string>> = {
  team_disabled: "the team's disabled state",
  key_disabled: "the key's opt-out",
  key: "the key's own destinations",
  team: "the team's destinations",
  default_team_settings: "the operator's settings for this team",
  global: "the gateway's default",
};

const redactions = { off: "Everything", content: "No content", metadata_only: "Figures only" } as const;

type Decider = Outputs["policy"]["get"]["effective"]["callbacks"][number]["redaction_decided_by"];

const deciders: Readonly<Record<Decider, string>> = {
  callback: "the destination",
  key: "the key",
  team: "the team",
  default_team_settings: "the operator's settings for this team",
  global: "the gateway",
  enforce_redaction: "the gateway, for everybody",
};

/** Where logs go in the end, and which level decided it. */
export function EffectiveList({ effective }: { effective: Outputs["policy"]["get"]["effective"] }) {
  return (
    <div className="grid gap-3">
      <p className="text-quiet">
        Decided by {levels[effective.decided_by] ?? effective.decided_by}. {effective.reason}
      </p>
      <ul className="grid gap-2">
        {effective.callbacks.map((callback) => (
          <li
            key={callback.callback_id}
            className="flex flex-wrap items-center justify-between gap-x-4 gap-y-1.5 rounded-lg border px-3.5 py-2.5"
          >
            <div className="min-w-0">
              <p className="font-medium">{callback.callback_name}</p>
              <p className="truncate text-[0.8125rem] text-quiet">
                {callback.reason ?? (Object.values(callback.target ?? {}).join(", ") || "the vendor's own address")}
              </p>
            </div>
            <div className="flex flex-wrap items-center gap-2 text-[0.8125rem]">
              <span className="text-quiet">
                {redactions[callback.redaction]}, said by {deciders[callback.redaction_decided_by]}
              </span>
              <Badge tone={callback.enabled ? "good" : "warn"}>{callback.enabled ? "Sends" : "Held back"}</Badge>
            </div>
          </li>
        ))}
      </ul>
    </div>
  );
}
