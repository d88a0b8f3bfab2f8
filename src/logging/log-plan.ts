import type { Config } from "#lib/config.ts";
import { findDestination } from "#logging/destinations/index.ts";
import { globalRedaction, type LoggingPolicy, type PolicyTarget } from "#logging/policy.ts";
import { stricterLevel, type RedactionLevel } from "#logging/redaction-level.ts";
import { requestCallbackName, toRequestCallbackId, type RequestCredentials } from "#logging/request-credentials.ts";

/** What one request says about its own log. All of it can only make the log more private, unless it is allowed more. */
export type RequestControls = {
  /** Body `"no-log": true`, the exact boolean. */
  noLog: boolean;
  /** Names from `x-litellm-disable-callbacks`, or the key's own list, in lower case. */
  disabledCallbacks: readonly string[];
  /** A header or body field asked for redaction. */
  redact: boolean;
  /** A header asked to lift redaction, and the caller may. */
  liftRedaction: boolean;
  /** Credentials of the client's own; absent: none that can be used. */
  credentials?: RequestCredentials | null;
};

/**
 * A callback that gets the log of one call. `liftedFrom`: the redaction that the request lifted, as it may;
 * `credentials`: those that the request brought, which its record carries; `optedOut`: names of callbacks, in lower
 * case, that the request or its key did not want.
 */
export type PlannedTarget = PolicyTarget & {
  liftedFrom?: RedactionLevel;
  credentials?: RequestCredentials;
  optedOut?: readonly string[];
};

/** What will be logged where, decided before the call; `reason` says why nothing is. */
export type LogPlan = {
  targets: readonly PlannedTarget[];
  reason: "disabled" | "no-log" | "none" | null;
  /** True where `must_log` overruled what the request or key asked for. */
  mustLog: boolean;
};

/**
 * Decides where the log of one call goes. Order: team disabled > key disabled > no-log and disabled callbacks > the
 * policy's targets, of which the global ones give way to credentials that the request brought. `must_log`, general or
 * the team's, takes all but the first their effect, and that of sampling and filters.
 */
export function planLog(
  given: LoggingPolicy,
  { controls, isTeamDisabled }: { controls: RequestControls; isTeamDisabled: boolean },
  config: Config,
): LogPlan {
  const mustLog = config.general_settings.must_log || given.mustLog === true;
  const policy = withRequestCredentials(given, controls, config);
  if (isTeamDisabled || policy.level === "team_disabled" || policy.level === "key_disabled") {
    return { targets: [], reason: "disabled", mustLog: false };
  }
  const wantsNoLog = controls.noLog && !config.litellm_settings.global_disable_no_log_param;
  if (wantsNoLog && !mustLog) return { targets: [], reason: "no-log", mustLog: false };
  const unwanted = unwantedNames(policy, controls, config);
  const isUnwanted = ({ callbackName }: PolicyTarget): boolean =>
    unwanted.length > 0 && unwanted.some((name) => isSameCallback(name, callbackName));
  const kept = policy.targets.filter((target) => mustLog || !isUnwanted(target));
  const isRedirected = given.level === "global" && Boolean(controls.credentials);
  const isCut = (target: PolicyTarget): boolean => isUnwanted(target) || target.rules !== undefined;
  const overruled =
    mustLog && (wantsNoLog || isRedirected || policy.overruledOptOut === true || policy.targets.some(isCut));
  const heard = mustLog ? kept.map(withoutRules) : kept;
  const optedOut = mustLog ? [] : unwantedByRequest(controls, config);
  const targets = heard.map((target) => {
    const planned = withRequest(target, controls, config);
    return optedOut.length === 0 ? planned : { ...planned, optedOut };
  });
  const reason = targets.length > 0 ? null : policy.targets.length > 0 ? "no-log" : "none";
  return { targets, reason, mustLog: overruled };
}

/** Only where neither key, team nor default_team_settings said where to, and the operator insists on nothing. */
function withRequestCredentials(policy: LoggingPolicy, controls: RequestControls, config: Config): PlannedPolicy {
  const { credentials } = controls;
  const { must_log: mustLog, allow_client_side_credentials: isAllowed } = config.general_settings;
  if (!credentials || policy.level !== "global" || mustLog || policy.mustLog === true || !isAllowed) return policy;
  const target: PlannedTarget = {
    callbackId: toRequestCallbackId(credentials),
    callbackName: requestCallbackName,
    firesOn: "success_and_failure",
    redaction: policy.silentRedaction,
    credentials,
  };
  return { ...policy, targets: [target] };
}

/** A policy whose targets may carry what the request brought. */
type PlannedPolicy = LoggingPolicy & { targets: readonly PlannedTarget[] };

/** What the request, the key and the entries of the level that delivers switch off. */
function unwantedNames(policy: LoggingPolicy, controls: RequestControls, config: Config): readonly string[] {
  const byRequest = unwantedByRequest(controls, config);
  const byEntries = policy.targets.flatMap(({ disabledCallbacks }) => disabledCallbacks ?? []);
  return byEntries.length === 0 ? byRequest : [...byRequest, ...byEntries];
}

function unwantedByRequest({ disabledCallbacks }: RequestControls, config: Config): readonly string[] {
  return config.litellm_settings.allow_dynamic_callback_disabling ? disabledCallbacks : [];
}

/** Whether a name in lower case means this callback: a destination may be known by several names. */
export function isSameCallback(name: string, callbackName: string): boolean {
  if (name === callbackName.toLowerCase()) return true;
  const destination = findDestination(name);
  return destination !== null && destination === findDestination(callbackName);
}

/** Leaving calls out by a rule is opting out of them. */
function withoutRules({ rules: _rules, ...target }: PlannedTarget): PlannedTarget {
  return target;
}

/** Asking for redaction wins over lifting it, and nothing is lifted below a floor that the operator enforces. */
function withRequest(target: PlannedTarget, controls: RequestControls, config: Config): PlannedTarget {
  if (controls.redact) return { ...target, redaction: stricterLevel(target.redaction, "content") };
  if (!controls.liftRedaction) return target;
  const redaction = config.general_settings.enforce_redaction ? globalRedaction(config) : "off";
  return stricterLevel(redaction, target.redaction) === redaction
    ? target
    : { ...target, redaction, liftedFrom: target.redaction };
}
