import type { CachePlan } from "#gateway/cache/plan-cache.ts";
import { makeCallLedger, type CallLedger } from "#gateway/call-ledger.ts";
import type { CallEnd, CallStart } from "#gateway/call-record.ts";
import { toBareRecord, toCallRecord } from "#gateway/call-record.ts";
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
import { appendLog, prepareLog } from "#logging/log-call.ts";
import { planLog, type LogPlan } from "#logging/log-plan.ts";
import type { QueueEntry } from "#logging/queue/queue.ts";
import { noUsage, type LogRecord, type RecordAttempt } from "#logging/record.ts";

/** A call on its way: who asked what, and where its log goes. */
export type Call = {
  start: CallStart;
  plan: LogPlan;
  /** What it has taken, and whom its record counts for. */
  ledger: CallLedger;
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
  const planned = planLog(caller.logging, { controls, isTeamDisabled }, config);
  const isUnlogged =
    body.stream === true && config.litellm_settings.disable_streaming_logging && !config.general_settings.must_log;
  const plan: LogPlan = isUnlogged ? { ...planned, targets: [], reason: planned.reason ?? "none" } : planned;
  const call: Call = { start, plan, ledger: makeCallLedger() };
  call.ledger.count((record) => {
    countUsage(record);
    noteSpend(call, record);
  });
  return call;
}

/**
 * Commits a call's record, and throws `unavailable` if it could not be kept: a call whose log is lost is not answered.
 * With `logging.commit: after_answer` it does not wait, and a lost log is only an error in our own log.
 */
export async function commitCall(call: Call, record: LogRecord): Promise<void> {
  // A record that cannot be prepared is a fault of its own: nothing was recorded yet, so the failure still can be.
  const entry = prepareLog(call.plan, record);
  call.ledger.record();
  if (configState.get().logging.commit === "after_answer") {
    append(call, entry).catch((error: unknown) => {
      reportLostLog(record, error);
    });
    call.ledger.settle(record);
    return;
  }
  try {
    await append(call, entry);
  } catch (cause) {
    reportLostLog(record, cause);
    throw new AppError("unavailable", "The call was not answered because its log could not be stored.", { cause });
  }
  // After the commit and before the end of the answer: a crash never leaves more spend than what is logged.
  call.ledger.settle(record);
}

/** What a failed call has beside its error, if it broke off in the middle. */
export type PartialEnd = Partial<Omit<CallEnd, "error">>;

/**
 * Commits the record of a call that failed; false if it was lost. The failure is what the client is told, even if its
 * log is lost.
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
    completionStartTimeMs: null,
    clientDisconnected: false,
    attempts: call.attempts ?? [],
    ...call.ledger.seen(),
    ...partial,
    error,
  };
  call.ledger.record();
  try {
    const { record, entry } = prepareFailure(call, end);
    await append(call, entry);
    call.ledger.settle(record);
    return true;
  } catch (cause) {
    reportLostLog(call.start, cause);
    return false;
  }
}

/** The call stays in flight until the queue has its record, whoever waits for it. */
function append({ start }: Call, entry: QueueEntry | null): Promise<void> {
  const release = start.inFlight?.hold();
  return appendLog(entry).finally(release);
}

/** The record of a failure. If what the client or the upstream sent cannot be put into one, it holds no content. */
function prepareFailure(call: Call, end: CallEnd): { record: LogRecord; entry: QueueEntry | null } {
  try {
    const record = toCallRecord(call.start, end);
    return { record, entry: prepareLog(call.plan, record) };
  } catch (cause) {
    currentLogger().error({ recordId: call.start.recordId, error: String(cause) }, "a record is kept without content");
    const record = toBareRecord(call.start, end);
    return { record, entry: prepareLog(call.plan, record) };
  }
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
  if (record.responseCostUsd <= 0 && call.hasReservation !== true) return;
  const spent = toSpent(record, call);
  if (spent !== null) spendJournalState.find()?.note(spent);
}

function reportLostLog({ recordId }: { recordId: string }, cause: unknown): void {
  noteLostCall();
  currentLogger().error({ recordId, error: String(cause) }, "a record could not be queued");
}
