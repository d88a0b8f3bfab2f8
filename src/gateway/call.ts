import type { CachePlan } from "#gateway/cache/plan-cache.ts";
import type { CallEnd, CallStart } from "#gateway/call-record.ts";
import { toCallRecord } from "#gateway/call-record.ts";
import type { Deployment } from "#gateway/models.ts";
import { readControls } from "#gateway/request-controls.ts";
import { toSpent, type Spent } from "#gateway/spend/spent.ts";
import { spendJournalState } from "#gateway/spend/spend-journal.ts";
import { countUsage } from "#gateway/spend/usage-counts.ts";
import { configState } from "#lib/config.ts";
import { AppError } from "#lib/errors.ts";
import { currentLogger } from "#lib/logger.ts";
import type { JudgedCall } from "#logging/callback-rules.ts";
import { noteLostCall } from "#logging/calls-in-flight.ts";
import { deliveryState } from "#logging/delivery.ts";
import { logCall } from "#logging/log-call.ts";
import { planLog, type LogPlan } from "#logging/log-plan.ts";
import { noUsage, type LogRecord, type RecordAttempt } from "#logging/record.ts";

/** A call on its way: who asked what, and where its log goes. */
export type Call = {
  start: CallStart;
  plan: LogPlan;
  /** Called once with the record of the call, when it is over. */
  onEnd?: ((record: LogRecord) => void) | undefined;
  /** True where a part of a budget is held back for it. */
  hasReservation?: boolean;
  /** The budgets of single models that it counts against. */
  modelBudgets?: Spent["models"];
  /** The key's spend in USD, where it was read for this call. */
  keySpend?: number;
  /** Where its answer is kept for later calls; absent: nowhere. */
  cache?: CachePlan;
  /** Whose soft budgets are used up. */
  softExceeded?: readonly string[];
  /** What is left of the key's limits in this minute, Infinity where it has none of a kind; absent: it has none at all. */
  remaining?: { requests: number; tokens: number };
};

/** A call for which a deployment was chosen. */
export type RoutedCall = Call & {
  deployment: Deployment;
  /** The attempts that failed before this one. */
  attempts: readonly RecordAttempt[];
  retries: number;
  fallbacks: number;
};

/** Decides where the log of a call goes, before anything else is done with it. */
export function planCall(start: CallStart): Call {
  const { caller, body, headers } = start;
  const isTeamDisabled = caller.teamId !== null && deliveryState.get().isDisabled(caller.teamId);
  const controls = readControls(body, headers, caller);
  const config = configState.get();
  const plan = planLog(caller.logging, { controls, isTeamDisabled }, config);
  const isUnlogged = body.stream === true && config.litellm_settings.disable_streaming_logging;
  if (isUnlogged && !config.general_settings.must_log)
    return { start, plan: { ...plan, targets: [], reason: plan.reason ?? "none" } };
  return { start, plan };
}

/**
 * Commits a call's record, and throws `unavailable` where it could not be kept: a call whose log is lost is not
 * answered. With `logging.commit: after_answer` it does not wait, and a lost log is only an error in our own log.
 */
export async function commitCall(call: Call, record: LogRecord): Promise<void> {
  call.onEnd?.(record);
  countUsage(record);
  if (record.responseCostUsd > 0 || call.hasReservation === true) noteSpend(call, record);
  const committed = commit(call, record);
  if (configState.get().logging.commit === "after_answer") {
    committed.catch((error: unknown) => {
      reportLostLog(record, error);
    });
    return;
  }
  try {
    await committed;
  } catch (cause) {
    reportLostLog(record, cause);
    throw new AppError("unavailable", "The call was not answered because its log could not be stored.", { cause });
  }
}

/** What a failed call has beside its error, where it broke off in the middle. */
export type PartialEnd = Partial<Pick<CallEnd, "usage" | "completionStartTimeMs">>;

/**
 * Commits the record of a call that failed; false where it was lost. The failure is what the client is told, even if
 * its log is lost.
 */
export async function commitFailure(
  call: Call & { deployment: Deployment | null; attempts?: readonly RecordAttempt[] },
  error: NonNullable<LogRecord["error"]>,
  partial: PartialEnd = {},
): Promise<boolean> {
  const end: CallEnd = {
    deployment: call.deployment,
    response: null,
    usage: noUsage,
    error,
    completionStartTimeMs: null,
    clientDisconnected: false,
    attempts: call.attempts ?? [],
    ...partial,
  };
  const record = toCallRecord(call.start, end);
  call.onEnd?.(record);
  countUsage(record);
  if (call.hasReservation === true) noteSpend(call, record);
  try {
    await commit(call, record);
    return true;
  } catch (cause) {
    reportLostLog(record, cause);
    return false;
  }
}

/** `logCall`, and the call stays in flight until it is done, whoever waits for it. */
function commit({ plan, start }: Call, record: LogRecord): Promise<unknown> {
  const release = start.inFlight?.hold();
  return logCall(plan, record).finally(release);
}

/** What is known of a call for its receipt, before there is a record. */
export function toJudged(start: CallStart, deployment: Deployment | null, status: LogRecord["status"]): JudgedCall {
  const asked = typeof start.body.model === "string" ? start.body.model : "";
  return {
    recordId: start.recordId,
    status,
    model: deployment?.upstreamModel ?? asked,
    modelGroup: asked,
    caller: start.caller.attribution,
  };
}

/** What a call cost counts whether or not it is logged. */
function noteSpend(call: Call, record: LogRecord): void {
  const spent = toSpent(record, call);
  if (spent !== null) spendJournalState.find()?.note(spent);
}

function reportLostLog(record: LogRecord, cause: unknown): void {
  noteLostCall();
  currentLogger().error({ recordId: record.recordId, error: String(cause) }, "a record could not be queued");
}
