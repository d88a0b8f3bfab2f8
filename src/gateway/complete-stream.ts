import { commitCall, commitFailure, type RoutedCall } from "#gateway/call.ts";
import { toCallRecord } from "#gateway/call-record.ts";
import type { PiecewiseAnswer } from "#gateway/attempt-call.ts";
import { recordBytes } from "#gateway/cache/cached-answer.ts";
import { keepAnswer } from "#gateway/cache/use-cache.ts";
import { tap, type TapEnd } from "#gateway/tap.ts";
import { toUsage } from "#gateway/usage.ts";
import { ofCut, ofErrorFrame, ofThrown, type CallFailure } from "#gateway/upstream-failure.ts";
import { AppError } from "#lib/errors.ts";
import type { PiecewiseBody } from "#lib/piecewise-response.ts";
import { findCut } from "#logging/calls-in-flight.ts";
import type { LogRecord } from "#logging/record.ts";

/** The body of an answer that is passed on in pieces, logged once when it ends. */
export function answerStream(
  call: RoutedCall,
  { answer, first, source, copy, startedMs }: PiecewiseAnswer,
): PiecewiseBody {
  const recorded = call.cache === undefined ? null : recordBytes(copy);
  const contentType = answer.headers["content-type"];
  const release = call.start.inFlight?.hold();
  return tap(first, source, {
    copy: recorded?.copy ?? copy,
    async onEnd(end) {
      const record = await logStream(call, end, startedMs).finally(release);
      const bytes = recorded?.bytes() ?? null;
      if (end.outcome === "complete" && bytes !== null) keepAnswer(call, record, { bytes, contentType });
    },
    errorFrame: (reason) => toErrorFrame(call, reason),
    signal: call.start.signal,
  });
}

async function logStream(call: RoutedCall, end: TapEnd, completionStartTimeMs: number): Promise<LogRecord | null> {
  const { signal } = call.start;
  const cut = end.errorText === null ? findCut(signal) : null;
  // The client's leaving also ends what the upstream sends, and either may be noticed first.
  const isAborted = end.errorText === null && signal?.aborted === true;
  const hasLeft = end.outcome === "client_disconnected" || isAborted;
  if (end.outcome === "broken" && (cut !== null || !hasLeft)) {
    const { logged } = cut !== null ? ofCut(cut) : toStreamFailure(call, end);
    await commitFailure(call, logged, { usage: toUsage(end.usage), completionStartTimeMs });
    return null;
  }
  const record = toCallRecord(call.start, {
    deployment: call.deployment,
    response: end.response,
    usage: toUsage(end.usage),
    error: null,
    completionStartTimeMs,
    clientDisconnected: end.outcome !== "complete",
    attempts: call.attempts,
  });
  await commitCall(call, record);
  return record;
}

function toStreamFailure({ deployment }: RoutedCall, { errorText, reason }: TapEnd): CallFailure {
  return errorText === null ? ofThrown(deployment, reason) : ofErrorFrame(deployment, errorText);
}

/** What tells the client that a stream broke off, in the form of its API. */
function toErrorFrame({ start, deployment }: RoutedCall, reason: unknown): string | null {
  return start.operation.toErrorFrame(reason instanceof AppError ? reason : ofThrown(deployment, reason).error);
}
