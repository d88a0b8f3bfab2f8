import type { Inputs, Outputs } from "#trpc/client.tsx";

/** The limits that are numbers, as a form shows them. */
export const limitFields = [
  { name: "max_budget", label: "Budget in USD", step: "any" },
  { name: "rpm_limit", label: "Requests a minute", step: 1 },
  { name: "tpm_limit", label: "Tokens a minute", step: 1 },
  { name: "max_parallel_requests", label: "Calls at a time", step: 1 },
] as const;

type Limit = (typeof limitFields)[number]["name"];

/** What a form holds of a key: texts, empty where there is no limit. A `duration` of `kept` says nothing of the end. */
export type LimitEntries = Record<Limit | "key_alias" | "models" | "budget_duration" | "duration", string>;

type Key = Pick<Outputs["keys"]["get"], Limit | "key_alias" | "models" | "budget_duration">;

/** A key as a form begins. */
export function toEntries(key: Key): LimitEntries {
  return {
    key_alias: key.key_alias ?? "",
    models: key.models.join(", "),
    max_budget: toText(key.max_budget),
    rpm_limit: toText(key.rpm_limit),
    tpm_limit: toText(key.tpm_limit),
    max_parallel_requests: toText(key.max_parallel_requests),
    budget_duration: key.budget_duration ?? "",
    duration: "kept",
  };
}

/** What of a form was changed, as the gateway takes it: a budget's period would begin anew if it was written again. */
export function toChanges(first: LimitEntries, entries: LimitEntries): Inputs["keys"]["update"]["changes"] {
  const isChanged = (name: keyof LimitEntries): boolean => entries[name].trim() !== first[name].trim();
  const limits = limitFields
    .filter(({ name }) => isChanged(name))
    .map(({ name }): [Limit, number | null] => [name, toNumber(entries[name])]);
  return {
    ...Object.fromEntries(limits),
    ...(isChanged("key_alias") ? { key_alias: entries.key_alias.trim() } : {}),
    ...(isChanged("models") ? { models: toNames(entries.models) } : {}),
    ...(isChanged("budget_duration") ? { budget_duration: entries.budget_duration || null } : {}),
    ...(isChanged("duration") ? { duration: entries.duration || null } : {}),
  };
}

function toText(value: number | null): string {
  return value === null ? "" : String(value);
}

function toNumber(text: string): number | null {
  return text.trim() === "" ? null : Number(text);
}

function toNames(text: string): string[] {
  return text
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
}
