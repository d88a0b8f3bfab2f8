import { commitCall, commitFailure, type RoutedCall } from "#gateway/call.ts";
import { nowMs, toCallRecord } from "#gateway/call-record.ts";
import type { ProviderAnswer } from "#gateway/providers/provider.ts";
import type { StreamCopy } from "#gateway/stream-copy.ts";
import { tap, type TapEnd, type TapSource } from "#gateway/tap.ts";
import { toUsage } from "#gateway/usage.ts";
import { ofErrorFrame, ofThrown } from "#gateway/upstream-failure.ts";
import { AppError } from "#lib/errors.ts";

/**
 * The body of a streamed answer, logged once when it ends. Resolves with the first bytes of the upstream; throws what
 * the upstream threw where none came, so that the client gets a plain error with a status.
 */
export async function answerStream(
  call: RoutedCall,
  answer: ProviderAnswer,
  copy: StreamCopy,
): Promise<ReadableStream<Uint8Array>> {
  const iterator = answer.body[Symbol.asyncIterator]();
  const source: TapSource = {
    next: () => iterator.next(),
    destroy: () => {
      answer.body.destroy();
    },
  };
  const first = await source.next();
  const completionStartTimeMs = nowMs();
  return tap(first.done === true ? Buffer.alloc(0) : first.value, source, {
    copy,
    onEnd: (end) => logStream(call, end, completionStartTimeMs),
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
  });
  await commitCall(call, record);
}

/** What tells the client that a stream broke off, in the form of its API. */
function toErrorFrame({ start, deployment }: RoutedCall, reason: unknown): string | null {
  return start.operation.toErrorFrame(reason instanceof AppError ? reason : ofThrown(deployment, reason).error);
}
