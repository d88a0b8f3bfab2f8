import type { Config } from "#lib/config.ts";
import type { LoggingPolicy, PolicyTarget } from "#logging/policy.ts";
import { stricterLevel } from "#logging/redaction-level.ts";

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
};

/** What will be logged where, decided before the call; `reason` says why nothing is. */
export type LogPlan = {
  targets: readonly PolicyTarget[];
  reason: "disabled" | "no-log" | "none" | null;
  /** True where `must_log` overruled what the request or key asked for. */
  mustLog: boolean;
};

/**
 * Decides where the log of one call goes. Order: team disabled > key disabled > no-log and disabled callbacks > the
 * policy's targets. `general_settings.must_log` takes all but the first their effect.
 */
export function planLog(
  policy: LoggingPolicy,
  { controls, isTeamDisabled }: { controls: RequestControls; isTeamDisabled: boolean },
  config: Config,
): LogPlan {
  const mustLog = config.general_settings.must_log;
  if (isTeamDisabled || policy.level === "team_disabled" || policy.level === "key_disabled") {
    return { targets: [], reason: "disabled", mustLog: false };
  }
  const wantsNoLog = controls.noLog && !config.litellm_settings.global_disable_no_log_param;
  if (wantsNoLog && !mustLog) return { targets: [], reason: "no-log", mustLog: false };
  const mayDisable = config.litellm_settings.allow_dynamic_callback_disabling && !mustLog;
  const kept = policy.targets.filter(
    (target) => !(mayDisable && controls.disabledCallbacks.includes(target.callbackName.toLowerCase())),
  );
  const overruled = mustLog && (wantsNoLog || controls.disabledCallbacks.length > 0);
  const targets = kept.map((target) => ({ ...target, redaction: requestLevel(target, controls) }));
  const reason = targets.length > 0 ? null : policy.targets.length > 0 ? "no-log" : "none";
  return { targets, reason, mustLog: overruled };
}

function requestLevel(target: PolicyTarget, controls: RequestControls): PolicyTarget["redaction"] {
  if (controls.redact) return stricterLevel(target.redaction, "content");
  return controls.liftRedaction ? "off" : target.redaction;
}
