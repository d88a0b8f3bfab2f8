import { readFileSync } from "node:fs";
import { isAbsolute, relative } from "node:path";
import { readCallbackNames } from "#lib/config-callback-names.ts";
import { readContentSwitches, refuseIgnoredControls } from "#lib/config-controls.ts";
import { isRecord, readConfigDocument, type ConfigPath } from "#lib/config-document.ts";
import { describeIssue, issuePath } from "#lib/config-issue.ts";
import { warnOfIdleKeys } from "#lib/config-known-keys.ts";
import { readModelList } from "#lib/config-model-list.ts";
import { readEnvironmentVariables, resolveReferences, type Environment } from "#lib/config-references.ts";
import { makeConfigReport, type ConfigReport } from "#lib/config-report.ts";
import { Config } from "#lib/config-schema.ts";
import { readTeamSettings } from "#lib/config-team-settings.ts";
import { AppError } from "#lib/errors.ts";
import { stateCell } from "#lib/state.ts";

export type { Config, ModelConfig } from "#lib/config-schema.ts";
export type { CallbackVariable, TeamSettings } from "#lib/config-team-settings.ts";

/** A configuration that can be used. */
export type LoadedConfig = {
  config: Config;
  /** One line each, beginning with file and line. No line holds a secret. */
  warnings: string[];
  /** What the section `environment_variables` sets, with its references resolved. */
  environment: Environment;
  /** `config.yaml:12` for a path such as `["model_list", 0, "model_name"]`, or for its nearest parent in the file. */
  locate(path: ConfigPath): string;
};

/** The configuration of this process. */
export const configState = stateCell<Config>("config");

/**
 * Reads and checks a configuration file, and sets the variables of its section `environment_variables` in `env`, so
 * that later look-ups see them; a file with errors sets none. Throws one `AppError` that lists every error with file,
 * line, key and fix.
 */
export function loadConfig(path: string, env: Record<string, string | undefined>): LoadedConfig {
  const loaded = parseConfig(readText(path), shortPath(path), env);
  Object.assign(env, loaded.environment);
  return loaded;
}

/**
 * Checks the text of a configuration and resolves its `os.environ/NAME` references, first against its own section
 * `environment_variables`, then against `env`. Changes nothing outside. Throws as `loadConfig` does; `fileName` is how
 * messages call the file.
 */
export function parseConfig(text: string, fileName: string, env: Environment): LoadedConfig {
  const document = readConfigDocument(text, fileName);
  const report = makeConfigReport(document);
  if (document.empty) report.warning([], "is empty, so there are no models. Fix: add a model_list.");
  warnOfIdleKeys(document.data, report);

  const { environment_variables: section, ...rest } = document.data;
  const environment = readEnvironmentVariables(section, env, report);
  const resolved = resolveReferences(rest, { ...env, ...environment }, { report });
  refuseIgnoredControls(isRecord(resolved) ? resolved : {}, { report, env: { ...env, ...environment } });
  const sections = withModelList(withCallbackLists(resolved, report), document.data, report);
  const parsed = Config.safeParse(withContentSwitches(sections, { ...env, ...environment }), { reportInput: true });
  if (!parsed.success) {
    for (const issue of parsed.error.issues) report.error(issuePath(issue), describeIssue(issue, document.data));
  }
  report.throwErrors();
  if (!parsed.success) throw new AppError("bad_request", `${fileName} cannot be used.`);
  return { config: parsed.data, warnings: report.warnings(), environment, locate: document.locate };
}

/** What OpenTelemetry's and LangSmith's own variables say of content stands in `callback_settings` from here on. */
function withContentSwitches(data: unknown, env: Environment): unknown {
  const found = readContentSwitches(env);
  if (!isRecord(data) || found.length === 0) return data;
  const settings = isRecord(data["callback_settings"]) ? data["callback_settings"] : {};
  const said = (name: string): object => (isRecord(settings[name]) ? settings[name] : {});
  const off = found.map((name) => [name, { ...said(name), message_logging: false }] as const);
  return { ...data, callback_settings: { ...settings, ...Object.fromEntries(off) } };
}

/** Takes the entries of `model_list` that do not fit out of it. */
function withModelList(data: unknown, written: unknown, report: ConfigReport): unknown {
  return isRecord(data) ? { ...data, ...readModelList(data["model_list"], written, report) } : data;
}

/** Brings the lists of `litellm_settings` that may be written in several ways into one form. */
function withCallbackLists(data: unknown, report: ConfigReport): unknown {
  if (!isRecord(data) || !isRecord(data["litellm_settings"])) return data;
  const settings = data["litellm_settings"];
  const names = (key: string): string[] => readCallbackNames(settings[key], ["litellm_settings", key], report);
  const lists = {
    success_callback: names("success_callback"),
    failure_callback: names("failure_callback"),
    callbacks: names("callbacks"),
    default_team_settings: readTeamSettings(settings["default_team_settings"], report),
  };
  return { ...data, litellm_settings: { ...settings, ...lists } };
}

function readText(path: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(path));
  } catch (cause) {
    const reason = unreadable(cause);
    const todo = reason === "does not exist" ? "create the file" : "correct the file";
    const fix = `Fix: ${todo}, or name another one with --config FILE or SLUICE_CONFIG.`;
    const name = reason === "does not exist" ? path : shortPath(path);
    throw new AppError("bad_request", `${name} ${reason}. ${fix}`, { cause });
  }
}

function unreadable(cause: unknown): string {
  const code = isRecord(cause) ? cause["code"] : undefined;
  if (code === "ENOENT" || code === "ENOTDIR") return "does not exist";
  if (code === "EISDIR") return "is a directory, not a configuration file";
  if (code === "EACCES" || code === "EPERM") return "may not be read by this user";
  if (code === "ERR_ENCODING_INVALID_ENCODED_DATA") return "is not UTF-8 text";
  return "cannot be read";
}

function shortPath(path: string): string {
  const fromHere = relative(process.cwd(), path);
  return fromHere === "" || fromHere.startsWith("..") || isAbsolute(fromHere) ? path : fromHere;
}
