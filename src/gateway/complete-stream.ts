import { commitCall, commitFailure, type RoutedCall } from "#gateway/call.ts";
import { toCallRecord } from "#gateway/call-record.ts";
import type { PiecewiseAnswer } from "#gateway/attempt-call.ts";
import { tap, type TapEnd } from "#gateway/tap.ts";
import { toUsage } from "#gateway/usage.ts";
import { ofErrorFrame, ofThrown } from "#gateway/upstream-failure.ts";
import { AppError } from "#lib/errors.ts";

/** The body of an answer that is passed on in pieces, logged once when it ends. */
export function answerStream(
  call: RoutedCall,
  { first, source, copy, startedMs }: PiecewiseAnswer,
): ReadableStream<Uint8Array> {
  return tap(first, source, {
    copy,
    onEnd: (end) => logStream(call, end, startedMs),
    errorFrame: (reason) => toErrorFrame(call, reason),
  });
}

async function logStream(call: RoutedCall, end: TapEnd, completionStartTimeMs: number): Promise<void> {
  if (end.outcome === "broken") {
    const { logged } =
      end.errorText === null ? ofThrown(call.deployment, end.reason) : ofErrorFrame(call.deployment, end.errorText);
    await commitFailure(call, logged, { usage: toUsage(end.usage), completionStartTimeMs });
    return;
  }
  const record = toCallRecord(call.start, {
    deployment: call.deployment,
    response: end.response,
    usage: toUsage(end.usage),
    error: null,
    completionStartTimeMs,
    clientDisconnected: end.outcome === "client_disconnected",
    attempts: call.attempts,
  });
  await commitCall(call, record);
}

/** What tells the client that a stream broke off, in the form of its API. */
function toErrorFrame({ start, deployment }: RoutedCall, reason: unknown): string | null {
  return start.operation.toErrorFrame(reason instanceof AppError ? reason : ofThrown(deployment, reason).error);
}
