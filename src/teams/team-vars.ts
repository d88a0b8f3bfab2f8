import type { CallbackVar, CallbackVars } from "#logging/callback.ts";
import type { CallbackEntry } from "#logging/read-logging.ts";

/** Variables as a team's row keeps them: LiteLLM turns every value into Python's text; null counts as absent. */
export function toTeamVars(vars: CallbackVars): CallbackVars {
  return Object.fromEntries(
    Object.entries(vars).flatMap(([name, value]) => (value === null ? [] : [[name, toPythonText(value)]])),
  );
}

/** An entry with its variables as a team's row keeps them. */
export function toTeamEntry(entry: CallbackEntry): CallbackEntry {
  return { ...entry, callbackVars: toTeamVars(entry.callbackVars) };
}

function toPythonText(value: Exclude<CallbackVar, null>): string {
  if (value === true) return "True";
  if (value === false) return "False";
  return Array.isArray(value) ? `[${value.map((item) => `'${item}'`).join(", ")}]` : String(value);
}
