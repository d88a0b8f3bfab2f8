import type { Config } from "#lib/config.ts";
import { AppError } from "#lib/errors.ts";
import { findDestination, knownCallbackNames } from "#logging/destinations/index.ts";
import { findGeneralVarFault } from "#logging/general-vars.ts";
import type { RedactionLevel } from "#logging/redaction-level.ts";

/**
 * What config.yaml says of the content that a kind of callback gets, in `callback_settings` or `datadog_params`; null if
 * it says nothing. A name stands for its destination, so `webhook` and `generic_api` share what is said of one of them.
 */
export function redactionOfKind(callbackName: string, config: Config): RedactionLevel | null {
  const destination = findDestination(callbackName);
  const isOff = switches(config).some(
    ({ name, turnsOff }) => turnsOff && (name === callbackName || findDestination(name) === destination),
  );
  return isOff ? "content" : null;
}

/** Variables of a team that keep content back. */
const teamSwitches = ["turn_off_message_logging", "message_logging", "redaction", "redact_classes"];

/** Throws for a switch of `default_team_settings` whose value nobody understands: it would keep nothing back. */
export function assertTeamSwitchesAct({ litellm_settings: settings }: Config, locate: Locate): void {
  const lines = settings.default_team_settings.flatMap(({ team_id: teamId, callback_vars: vars }, index) =>
    teamSwitches.flatMap((name) => {
      const value = vars[name] ?? null;
      const fault = value === null ? null : findGeneralVarFault(name, value);
      const place = `${locate(["litellm_settings", "default_team_settings", index])} default_team_settings`;
      return fault === null ? [] : [`${place} of team ${teamId}: ${name}: ${fault}. Fix: correct the value.`];
    }),
  );
  if (lines.length > 0) throw new AppError("bad_request", lines.join("\n"));
}

type Locate = (path: (string | number)[]) => string;

/**
 * Throws for a switch that keeps content from a callback that this gateway does not know by that name: misspelt, it would
 * keep nothing. Callbacks that are listed and not supported get nothing anyway.
 */
export function assertKindsKnown(config: Config, locate: Locate): void {
  const { litellm_settings: settings, general_settings: general } = config;
  const listed = [...settings.callbacks, ...settings.success_callback, ...settings.failure_callback];
  const unknown = switches(config).filter(
    ({ name, turnsOff }) =>
      turnsOff && !findDestination(name) && !listed.includes(name) && !general.ignored_controls.includes(name),
  );
  if (unknown.length === 0) return;
  const lines = unknown.map(({ name }) => {
    const place = `${locate(["callback_settings", name])} callback_settings.${name}`;
    const fix = `Fix: write one of ${knownCallbackNames.join(", ")}, or list ${name} in general_settings.ignored_controls.`;
    return `${place}: is meant to keep content out of a callback, but no callback has this name, so it would do nothing. ${fix}`;
  });
  throw new AppError("bad_request", lines.join("\n"));
}

function switches(config: Config): { name: string; turnsOff: boolean }[] {
  const { datadog_params: datadog } = config.litellm_settings;
  const all = [...Object.entries(config.callback_settings), ...(datadog ? [["datadog", datadog] as const] : [])];
  return all.map(([name, said]) => ({
    name,
    turnsOff: said.message_logging === false || said.turn_off_message_logging === true,
  }));
}
