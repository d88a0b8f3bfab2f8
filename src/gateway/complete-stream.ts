import { commitCall, commitFailure, type RoutedCall } from "#gateway/call.ts";
import { toCallRecord } from "#gateway/call-record.ts";
import type { PiecewiseAnswer } from "#gateway/attempt-call.ts";
import type { SeenAnswer } from "#gateway/call-ledger.ts";
import { recordBytes } from "#gateway/cache/cached-answer.ts";
import { keepAnswer } from "#gateway/cache/use-cache.ts";
import { refuseCall, toRefusal } from "#gateway/refuse-call.ts";
import { settleUsage } from "#gateway/settle-usage.ts";
import { tap, type TapEnd } from "#gateway/tap.ts";
import { ofCut, ofErrorFrame, ofThrown, type CallFailure } from "#gateway/upstream-failure.ts";
import { AppError, UpstreamError } from "#lib/errors.ts";
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
  // The ledger closes when the stream ends, and also if it never begins.
  const release = call.start.inFlight?.hold();
  if (release !== undefined) call.ledger.hold(release);
  return tap(first, source, {
    copy: recorded?.copy ?? copy,
    async onEnd(end) {
      try {
        const record = await logStream(call, end, startedMs);
        const bytes = recorded?.bytes() ?? null;
        if (end.outcome === "complete" && end.isWhole && bytes !== null)
          keepAnswer(call, record, { bytes, contentType });
      } finally {
        call.ledger.close();
      }
    },
    errorFrame: (reason) => toErrorFrame(call, reason),
    signal: call.start.signal,
  });
}

/** Logs a stream once. If its record cannot be made, it failed, and that is logged. */
async function logStream(call: RoutedCall, end: TapEnd, completionStartTimeMs: number): Promise<LogRecord | null> {
  try {
    const cut = end.errorText === null ? findCut(call.start.signal) : null;
    // The client's leaving also ends what the upstream sends, and either may be noticed first.
    const isAborted = end.errorText === null && call.start.signal?.aborted === true;
    const hasLeft = end.outcome === "client_disconnected" || (isAborted && cut === null);
    const isBroken = !hasLeft && (end.outcome === "broken" || !end.isWhole);
    const counted = settleUsage(call.start, end);
    const usage = isBroken ? { ...counted, isEstimated: true as const } : counted;
    const { deployment, attempts } = call;
    const billed = end.isWhole && !isBroken ? "whole" : "cut";
    const seen: SeenAnswer = { deployment, attempts, usage, billed, completionStartTimeMs };
    call.ledger.see(seen);
    if (isBroken) return await failStream(call, end, cut);
    const disconnected = { clientDisconnected: end.outcome !== "complete" || !end.isWhole };
    const record = toCallRecord(call.start, { ...seen, ...disconnected, response: end.response, error: null });
    await commitCall(call, record);
    return record;
  } catch (error) {
    if (!call.ledger.isRecorded()) await refuseCall(call, toRefusal(call, error));
    throw error;
  }
}

/** Logs a stream that broke, with what came of it. A throw is what turns an end that said nothing into an error frame. */
async function failStream(call: RoutedCall, end: TapEnd, cut: AppError | null): Promise<null> {
  const { response } = end;
  if (end.outcome !== "complete") {
    await commitFailure(call, (cut !== null ? ofCut(cut) : toStreamFailure(call, end)).logged, { response });
    return null;
  }
  const reason = cut ?? new UpstreamError(0, "The upstream's stream ended before the answer was complete.");
  const failure = cut === null ? ofThrown(call.deployment, reason) : ofCut(cut);
  await commitFailure(call, failure.logged, { response });
  throw reason;
}

function toStreamFailure({ deployment }: RoutedCall, { errorText, reason }: TapEnd): CallFailure {
  return errorText === null ? ofThrown(deployment, reason) : ofErrorFrame(deployment, errorText);
}

/** What tells the client that a stream broke off, in the form of its API. */
function toErrorFrame({ start, deployment }: RoutedCall, reason: unknown): string | null {
  return start.operation.toErrorFrame(reason instanceof AppError ? reason : ofThrown(deployment, reason).error);
}
