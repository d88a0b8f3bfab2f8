import { commitCall, commitFailure, type RoutedCall } from "#gateway/call.ts";
import { nowMs, toCallRecord, toUsage } from "#gateway/call-record.ts";
import type { ProviderAnswer } from "#gateway/providers/provider.ts";
import { tap, type TapEnd, type TapSource } from "#gateway/tap.ts";
import { ofErrorFrame, ofThrown } from "#gateway/upstream-failure.ts";
import { AppError } from "#lib/errors.ts";
import { isJsonObject } from "#logging/record.ts";

/**
 * The body of a streamed answer, logged once when it ends. Resolves with the first bytes of the upstream; throws what
 * the upstream threw where none came, so that the client gets a plain error with a status.
 */
export async function answerStream(call: RoutedCall, answer: ProviderAnswer): Promise<ReadableStream<Uint8Array>> {
  const iterator = answer.body[Symbol.asyncIterator]();
  const source: TapSource = {
    next: () => iterator.next(),
    destroy: () => {
      answer.body.destroy();
    },
  };
  const first = await source.next();
  const completionStartTimeMs = nowMs();
  const options = call.start.body.stream_options;
  return tap(first.done === true ? Buffer.alloc(0) : first.value, source, {
    hideUsage: !(isJsonObject(options) && options.include_usage === true),
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

/** The frame after which a stream ends without `[DONE]`. */
function toErrorFrame(call: RoutedCall, reason: unknown): string {
  const error = reason instanceof AppError ? reason : ofThrown(call.deployment, reason).error;
  const body = { error: { message: error.message, type: error.type, param: error.param, code: String(error.status) } };
  return `data: ${JSON.stringify(body)}\n\n`;
}
