/** Fields of keys and teams that are kept and shown, but that this version does not act on. */
const idleNames = [
  "budget_id",
  "guardrails",
  "enforced_params",
  "object_permission",
  "config",
  "permissions",
  "auto_rotate",
  "rotation_interval",
] as const;

/**
 * The sentence that tells a caller which of the given fields have no effect yet; null where there is none. Null, false
 * and empty values ask for nothing.
 */
export function idleFieldsWarning(fields: Readonly<Record<string, unknown>>): string | null {
  const given = idleNames.filter((name) => asksForSomething(fields[name]));
  if (given.length === 0) return null;
  return `${given.join(", ")} ${given.length === 1 ? "is" : "are"} stored but not enforced in this version`;
}

function asksForSomething(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === "") return false;
  return typeof value !== "object" || Object.keys(value).length > 0;
}
