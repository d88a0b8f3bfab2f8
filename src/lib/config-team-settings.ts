import { z } from "zod";
import { readCallbackNames } from "#lib/config-callback-names.ts";
import { isRecord, type ConfigPath } from "#lib/config-document.ts";
import type { ConfigReport } from "#lib/config-report.ts";

/** A value that one callback variable may have. Null stands for a reference to a variable that is not set. */
export const CallbackVariable = z.union([z.string(), z.number(), z.boolean(), z.null()]);
export type CallbackVariable = z.output<typeof CallbackVariable>;

/** One entry of `default_team_settings`, however it was written. `callbacks` are in both lists. */
export const TeamSettings = z.object({
  team_id: z.string(),
  success_callback: z.array(z.string()),
  failure_callback: z.array(z.string()),
  callback_vars: z.record(z.string(), CallbackVariable),
  /** Where the entry begins in the file, counted from 1. */
  line: z.number(),
});
export type TeamSettings = z.output<typeof TeamSettings>;

const listPath: ConfigPath = ["litellm_settings", "default_team_settings"];
const notVariables = new Set([
  "team_id",
  "success_callback",
  "success_callbacks",
  "failure_callback",
  "failure_callbacks",
  "callbacks",
  "callback_vars",
]);

/**
 * The entries of `default_team_settings` in one form. A wrong entry is an error of the report; the misspelt
 * `success_callbacks` and `failure_callbacks`, which occur in the wild, are accepted with a warning. Where a team has
 * several entries, the first one counts.
 */
export function readTeamSettings(value: unknown, report: ConfigReport): TeamSettings[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) {
    report.error(listPath, "expected a list. Fix: begin each team with - team_id: on a line of its own.");
    return [];
  }
  const teams = new Map<string, TeamSettings>();
  for (const [index, entry] of value.entries()) {
    const team = readEntry(entry, index, report);
    if (team === null) continue;
    if (teams.has(team.team_id)) {
      report.warning(
        [...listPath, index],
        "the same team has an earlier entry, which counts. Fix: remove one of them.",
      );
    } else {
      teams.set(team.team_id, team);
    }
  }
  return [...teams.values()];
}

function readEntry(entry: unknown, index: number, report: ConfigReport): TeamSettings | null {
  const path = [...listPath, index];
  const fields = isRecord(entry) ? entry : {};
  const teamId = fields["team_id"];
  if (teamId === undefined || teamId === null || teamId === "") {
    const place = `default_team_settings at index=${String(index)}`;
    report.error(path, `team_id missing from ${place}. Fix: add team_id: with the id of the team.`);
    return null;
  }
  if (typeof teamId !== "string") {
    report.error([...path, "team_id"], "expected text, found another type. Fix: put the team id in quotes.");
    return null;
  }
  const both = readCallbackNames(fields["callbacks"], [...path, "callbacks"], report);
  return {
    team_id: teamId,
    success_callback: unique([...namesOf("success_callback", fields, { path, report }), ...both]),
    failure_callback: unique([...namesOf("failure_callback", fields, { path, report }), ...both]),
    callback_vars: readVariables(fields, path, report),
    line: report.lineOf(path),
  };
}

function namesOf(
  field: "success_callback" | "failure_callback",
  fields: Readonly<Record<string, unknown>>,
  { path, report }: { path: ConfigPath; report: ConfigReport },
): string[] {
  const misspelt = `${field}s`;
  if (fields[misspelt] !== undefined) {
    report.warning([...path, misspelt], `is read as ${field}. Fix: remove the last letter.`);
  }
  return [
    ...readCallbackNames(fields[field], [...path, field], report),
    ...readCallbackNames(fields[misspelt], [...path, misspelt], report),
  ];
}

function readVariables(
  fields: Readonly<Record<string, unknown>>,
  path: ConfigPath,
  report: ConfigReport,
): Record<string, CallbackVariable> {
  const nested = fields["callback_vars"] ?? {};
  if (!isRecord(nested)) {
    report.error([...path, "callback_vars"], "expected a mapping. Fix: indent the variables below it as name: value.");
    return {};
  }
  const flat = Object.entries(fields).filter(([name]) => !notVariables.has(name));
  const written = [
    ...flat.map(([name, value]) => ({ name, value, at: [...path, name] })),
    ...Object.entries(nested).map(([name, value]) => ({ name, value, at: [...path, "callback_vars", name] })),
  ];
  const variables: [string, CallbackVariable][] = [];
  for (const { name, value, at } of written) {
    const variable = CallbackVariable.safeParse(value);
    if (!variable.success) {
      report.error(at, "expected text, a number, true or false. Fix: write lists and mappings as JSON in quotes.");
    } else if (typeof variable.data !== "string" || variable.data.trim() !== "") {
      variables.push([name, variable.data]);
    }
  }
  return Object.fromEntries(variables);
}

function unique(names: readonly string[]): string[] {
  return [...new Set(names)];
}
