import { z } from "zod";
import type { Config } from "#lib/config.ts";
import type { CallbackTarget } from "#logging/callback.ts";
import { redactionOfKind } from "#logging/callback-settings.ts";
import { findDestination } from "#logging/destinations/index.ts";
import { readGeneralVars } from "#logging/general-vars.ts";
import { stricterLevel, type RedactionLevel } from "#logging/redaction-level.ts";

/** The level that decided where a call's log goes; the first one in this order that says anything. */
export const PolicyLevel = z.enum(["team_disabled", "key_disabled", "key", "team", "default_team_settings", "global"]);
export type PolicyLevel = z.output<typeof PolicyLevel>;

/** What a team or a key says about its logs. */
export type LoggingStatement = {
  state: "unset" | "own" | "disabled";
  callbacks: readonly CallbackTarget[];
  redaction: RedactionLevel | null;
  /** Of a team: opting out has no effect on its calls. */
  mustLog?: boolean;
};

/** Where the logs of one caller go before the request itself is heard. */
export type LoggingPolicy = {
  level: PolicyLevel;
  /** The callbacks of the deciding level, each with the redaction that holds for it. */
  targets: readonly PolicyTarget[];
  /** The redaction that holds for a callback of this caller that says nothing of it. */
  silentRedaction: RedactionLevel;
  /** True where opting out has no effect, by `general_settings.must_log` or the team's. */
  mustLog?: boolean;
  /** True where the key opted out and `must_log` did not hear it. */
  overruledOptOut?: boolean;
};

/** A callback and the redaction that holds for it. */
export type PolicyTarget = Omit<CallbackTarget, "redaction"> & { redaction: RedactionLevel };

/** Whose policy is asked for. A statement is null where there is no such key or team row. */
export type PolicySubject = {
  teamId: string | null;
  key: LoggingStatement | null;
  team: LoggingStatement | null;
};

/**
 * Chooses the one level that delivers: team disabled > key disabled > key > team > default_team_settings > global.
 * Redaction of each callback: the nearest of entry > key > team > default_team_settings > global that says anything;
 * `enforce_redaction` makes the global level a floor; with `must_log`, general or the team's, a key's
 * opt-out is not heard.
 */
export function choosePolicy(subject: PolicySubject, config: Config): LoggingPolicy {
  const { level, callbacks } = chooseLevel(subject, config);
  const targets = callbacks.map((callback) => ({ ...callback, redaction: redactionFor(callback, subject, config) }));
  const silentRedaction = redactionFor({ redaction: null }, subject, config);
  const mustLog = mustLogOf(subject, config);
  const overruledOptOut = mustLog && subject.key?.state === "disabled" && level !== "team_disabled";
  return {
    level,
    targets,
    silentRedaction,
    ...(mustLog ? { mustLog } : {}),
    ...(overruledOptOut ? { overruledOptOut } : {}),
  };
}

/** Whether opting out has no effect on this subject's calls. */
export function mustLogOf({ team }: Pick<PolicySubject, "team">, config: Config): boolean {
  return config.general_settings.must_log || team?.mustLog === true;
}

function chooseLevel(
  subject: PolicySubject,
  config: Config,
): { level: PolicyLevel; callbacks: readonly CallbackTarget[] } {
  const { teamId, key, team } = subject;
  if (team?.state === "disabled") return { level: "team_disabled", callbacks: [] };
  if (key?.state === "disabled" && !mustLogOf(subject, config)) return { level: "key_disabled", callbacks: [] };
  if (key?.state === "own") return { level: "key", callbacks: key.callbacks };
  if (team?.state === "own") return { level: "team", callbacks: team.callbacks };
  const index = defaultTeamSettingsIndex(teamId, config);
  if (index !== -1) return { level: "default_team_settings", callbacks: defaultTeamCallbacks(index, config) };
  return { level: "global", callbacks: globalCallbacks(config) };
}

/** A callback, as far as its redaction asks for it. */
export type RedactedCallback = Pick<CallbackTarget, "redaction"> &
  Partial<Pick<CallbackTarget, "callbackId" | "callbackName">>;

/** The redaction that holds for records of this subject at a callback, whichever level that callback stands on. */
export function redactionFor(callback: RedactedCallback, subject: PolicySubject, config: Config): RedactionLevel {
  return decideRedaction(callback, subject, config).level;
}

/** Who decided a redaction: the nearest that said anything, or the floor that the operator enforces. */
export const RedactionDecider = z.enum([
  "callback",
  "key",
  "team",
  "default_team_settings",
  "global",
  "enforce_redaction",
]);
export type RedactionDecider = z.output<typeof RedactionDecider>;

/** `redactionFor`, and which level decided it. */
export function decideRedaction(
  callback: RedactedCallback,
  subject: PolicySubject,
  config: Config,
): { level: RedactionLevel; decidedBy: RedactionDecider } {
  const global = globalRedaction(config);
  const ofKind = callback.callbackName === undefined ? null : redactionOfKind(callback.callbackName, config);
  const isOperators = callback.callbackId?.startsWith("config:") === true;
  const index = defaultTeamSettingsIndex(subject.teamId, config);
  const settings = index === -1 ? undefined : config.litellm_settings.default_team_settings[index];
  const said: [RedactionDecider, RedactionLevel | null | undefined][] = [
    ["callback", callback.redaction],
    ["key", subject.key?.redaction],
    ["team", subject.team?.redaction],
    ["default_team_settings", settings && readGeneralVars(settings.callback_vars, settings.team_id).redaction],
    // For callbacks that a team or a key stored, config.yaml only says what they leave open.
    ["global", isOperators ? null : ofKind],
  ];
  let nearest: { level: RedactionLevel; decidedBy: RedactionDecider } = { level: global, decidedBy: "global" };
  for (const [decidedBy, level] of said) {
    if (level === null || level === undefined) continue;
    nearest = { level, decidedBy };
    break;
  }
  if (isOperators && ofKind !== null && stricterLevel(nearest.level, ofKind) !== nearest.level) {
    nearest = { level: ofKind, decidedBy: "callback" };
  }
  const isLoosened = stricterLevel(nearest.level, global) !== nearest.level;
  if (!config.general_settings.enforce_redaction || !isLoosened) return nearest;
  return { level: global, decidedBy: "enforce_redaction" };
}

/** The redaction that config.yaml sets for everybody. */
export function globalRedaction(config: Config): RedactionLevel {
  return config.litellm_settings.turn_off_message_logging ? "content" : "off";
}

/** The place of a team in `default_team_settings`, or -1. */
export function defaultTeamSettingsIndex(teamId: string | null, config: Config): number {
  if (teamId === null) return -1;
  return config.litellm_settings.default_team_settings.findIndex((entry) => entry.team_id === teamId);
}

/** The callbacks of one entry of `default_team_settings`. Only the listed kinds fire (`rest.md` 9.2). */
export function defaultTeamCallbacks(index: number, config: Config): CallbackTarget[] {
  const entry = config.litellm_settings.default_team_settings[index];
  if (!entry) return [];
  const named = namedCallbacks(entry.success_callback, entry.failure_callback);
  return named.map(({ callbackName, firesOn }) => ({
    callbackId: `config:team:${entry.team_id}:${callbackName}`,
    callbackName,
    firesOn,
    ...readGeneralVars(entry.callback_vars, entry.team_id),
    // Its level is one of its own, below key and team.
    redaction: null,
  }));
}

/** The callbacks that config.yaml sets for everybody who sets none. */
export function globalCallbacks(config: Config): CallbackTarget[] {
  const { success_callback: success, failure_callback: failure, callbacks: both } = config.litellm_settings;
  return namedCallbacks([...both, ...success], [...both, ...failure]).map(({ callbackName, firesOn }) => ({
    callbackId: `config:global:${callbackName}`,
    callbackName,
    firesOn,
    redaction: null,
  }));
}

function namedCallbacks(
  success: readonly string[],
  failure: readonly string[],
): Pick<CallbackTarget, "callbackName" | "firesOn">[] {
  const names = [...new Set([...success, ...failure])].filter((name) => findDestination(name) !== null);
  return names.map((callbackName) => {
    if (!failure.includes(callbackName)) return { callbackName, firesOn: "success" };
    if (!success.includes(callbackName)) return { callbackName, firesOn: "failure" };
    return { callbackName, firesOn: "success_and_failure" };
  });
}
