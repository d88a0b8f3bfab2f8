import type { ConfigPath } from "#lib/config-document.ts";
import type { ConfigReport } from "#lib/config-report.ts";

/**
 * The callback names of a list; a single name counts as a list of one. Entries that are no text are left out with a
 * warning. Whether a name is known is for the room that owns callbacks to say.
 */
export function readCallbackNames(value: unknown, path: ConfigPath, report: ConfigReport): string[] {
  if (value === undefined || value === null) return [];
  if (typeof value === "string") return value.trim() === "" ? [] : [value.trim()];
  if (!Array.isArray(value)) {
    report.error(path, 'expected a list of callback names. Fix: write for example ["langfuse"].');
    return [];
  }
  const names: string[] = [];
  for (const [index, name] of value.entries()) {
    if (typeof name === "string" && name.trim() !== "") names.push(name.trim());
    else report.warning([...path, index], "is not the name of a callback and is left out.");
  }
  return names;
}
