import { configState } from "#lib/config.ts";
import { letsThrough, type JudgedCall } from "#logging/callback-rules.ts";
import { deliveryState } from "#logging/delivery.ts";
import type { LogPlan, PlannedTarget } from "#logging/log-plan.ts";
import type { QueueContent, QueueEntry } from "#logging/queue/queue.ts";
import { redact } from "#logging/redact.ts";
import type { LogRecord } from "#logging/record.ts";
import { encodeRecord } from "#logging/queued-record.ts";
import { countSuppressedCall } from "#logging/suppressed-calls.ts";

/**
 * Commits one call's record to the queue for every callback that fires on its outcome, redacted for each, and resolves
 * when it is safe. Returns the names of those callbacks. A team that was disabled meanwhile gets nothing.
 */
export async function logCall(plan: LogPlan, record: LogRecord): Promise<readonly string[]> {
  const entry = prepareLog(plan, record);
  await appendLog(entry);
  return entry === null ? [] : firing(plan, record).map((target) => target.callbackName);
}

/** The first half of `logCall`: what the queue gets of a record; null if no callback gets it. */
export function prepareLog(plan: LogPlan, record: LogRecord): QueueEntry | null {
  const targets = firing(plan, record);
  const { teamId, keyHash } = record.caller;
  const isTeamDisabled = teamId !== null && deliveryState.get().isDisabled(teamId);
  if (targets.length === 0 || isTeamDisabled) {
    if (teamId !== null && (isTeamDisabled || plan.reason === "disabled")) countSuppressedCall(teamId);
    return null;
  }
  return {
    recordId: record.recordId,
    callId: record.callId,
    teamId,
    keyHash,
    createdAtMs: Math.round(record.startTimeMs),
    contents: toContents(targets, withoutKeyInfo(record)),
  };
}

/** The second half: resolves when the queue has it. */
export async function appendLog(entry: QueueEntry | null): Promise<void> {
  if (entry !== null) await deliveryState.get().append(entry);
}

/** The targets of a plan that fire on this outcome and whose sampling and filters let this call through. */
export function firing(plan: LogPlan, call: JudgedCall): readonly PlannedTarget[] {
  const onOutcome = plan.targets.filter(
    (target) => target.firesOn === "success_and_failure" || target.firesOn === call.status,
  );
  return onOutcome.filter(({ rules }) => rules === undefined || letsThrough(rules, call));
}

/**
 * The `x-sluice-log` header: `langfuse=queued; id=<record id>` (`pending` before the end of a stream), or why nothing
 * is logged: `disabled`, `no-log`, `none`.
 */
export function toReceipt(plan: LogPlan, state: "queued" | "pending", record: JudgedCall): string {
  if (plan.reason !== null) return plan.reason;
  const targets = firing(plan, record);
  if (targets.length === 0) return "none";
  const names = targets.map((target) => `${target.callbackName}=${state}`).join(", ");
  return `${names}; id=${record.recordId}${plan.mustLog ? "; must-log" : ""}`;
}

/** One content per distinct redaction, with the callbacks that receive it. */
function toContents(targets: readonly PlannedTarget[], record: LogRecord): QueueContent[] {
  const groups = Map.groupBy(targets, ({ callbackId, redaction, redactClasses, liftedFrom, credentials }) =>
    [credentials ? callbackId : "", redaction, liftedFrom ?? "", ...(redactClasses ?? [])].join(" "),
  );
  const keepMetadata = configState.get().litellm_settings.redaction_keep_metadata_keys;
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (!first) return [];
    const redacted = redact(record, first.redaction, { keepMetadata, classes: first.redactClasses ?? [] });
    const { liftedFrom = null, credentials, optedOut } = first;
    const body = encodeRecord({ record: redacted, liftedFrom, credentials, optedOut });
    return [{ body, callbackIds: group.map(({ callbackId }) => callbackId) }];
  });
}

/** `litellm_settings.redact_user_api_key_info`: nothing of key, user and team is exported. */
export function withoutKeyInfo(record: LogRecord): LogRecord {
  if (!configState.get().litellm_settings.redact_user_api_key_info) return record;
  const nobody = {
    keyHash: null,
    keyAlias: null,
    userId: null,
    userEmail: null,
    teamId: null,
    teamAlias: null,
    organizationId: null,
  };
  const { keyBudget: _keyBudget, ...others } = record;
  return { ...others, caller: nobody };
}
