import type { RoutedCall } from "#gateway/call.ts";
import { nowMs } from "#gateway/call-record.ts";
import type { Deployment } from "#gateway/models.ts";
import { chat } from "#gateway/operations/chat.ts";
import { findProvider } from "#gateway/providers/index.ts";
import type { ProviderAnswer } from "#gateway/providers/provider.ts";
import { readTimeoutMs } from "#gateway/routing.ts";
import type { StreamCopy } from "#gateway/stream-copy.ts";
import type { TapSource } from "#gateway/tap.ts";
import { answerMessages } from "#gateway/translation/answer-messages.ts";
import { toUpstreamBody } from "#gateway/upstream-body.ts";
import { ofStatus, ofThrown, type CallFailure } from "#gateway/upstream-failure.ts";
import { AppError, UpstreamError } from "#lib/errors.ts";
import { findFailure } from "#lib/fetch-failure.ts";
import { readBody } from "#lib/fetch-upstream.ts";
import { readRetryAfterMs } from "#lib/retry-after.ts";
import { untilCut } from "#logging/calls-in-flight.ts";
import { isJsonObject, type JsonObject } from "#logging/record.ts";

/** An answer that was read whole. */
export type WholeAnswer = {
  kind: "whole";
  answer: ProviderAnswer;
  bytes: Buffer;
  response: JsonObject;
  /** How long the upstream took. */
  upstreamMs: number;
};

/** An answer that is passed on in pieces, of which the first came at `startedMs`. */
export type PiecewiseAnswer = {
  kind: "pieces";
  answer: ProviderAnswer;
  first: Buffer;
  source: TapSource;
  copy: StreamCopy;
  startedMs: number;
  /** How long the upstream took until then. */
  upstreamMs: number;
};

/** What a deployment answered. */
export type Attempt = WholeAnswer | PiecewiseAnswer;

/** What one attempt came to. `left`: the call was aborted, by its client or by the stop of the gateway. */
export type AttemptOutcome =
  | Attempt
  | { kind: "failed"; failure: CallFailure }
  /** `wasCalled`: the upstream has begun to work. */
  | { kind: "left"; wasCalled: boolean };

const answerBytesMax = 64 * 1024 * 1024;
const errorBytesMax = 64 * 1024;

/**
 * Sends a call to its deployment once. A failure of the upstream is an outcome, and so is `left`: what the upstream had
 * begun is aborted. A refusal of our own is thrown.
 */
export async function attemptCall(call: RoutedCall, form: FormData | null): Promise<AttemptOutcome> {
  const { start, deployment } = call;
  const sentMs = nowMs();
  if (start.signal?.aborted) return { kind: "left", wasCalled: false };
  let answer: ProviderAnswer;
  const vendor = { hasBegun: false };
  try {
    answer = await untilCut(send(call, form, () => (vendor.hasBegun = true)));
  } catch (thrown) {
    if (start.signal?.aborted) return { kind: "left", wasCalled: true };
    if (!(thrown instanceof UpstreamError)) throw thrown;
    return {
      kind: "failed",
      failure: { ...ofThrown(deployment, thrown), wasBegun: vendor.hasBegun || waitedForAnswer(thrown) },
    };
  }
  if (answer.status < 200 || answer.status >= 300) {
    const text = await readBody(answer, errorBytesMax).then(String, () => "");
    const retryAfter = answer.headers["retry-after"] ?? null;
    const failure = ofStatus(deployment, { status: answer.status, text, retryAfter });
    return { kind: "failed", failure: { ...failure, waitMs: readRetryAfterMs(answer.headers) } };
  }
  const contentType = answer.headers["content-type"] ?? "";
  try {
    const copy = start.operation.makeCopy({
      isStream: start.body.stream === true,
      hideUsage: start.operation.asksForUsage === true && !includesUsage(start.body),
      contentType,
    });
    if (copy !== null) return await untilCut(open(answer, copy, sentMs));
    const bytes = await untilCut(readBody(answer, answerBytesMax));
    const upstreamMs = nowMs() - sentMs;
    return { kind: "whole", answer, bytes, response: start.operation.readAnswer(bytes, contentType), upstreamMs };
  } catch (thrown) {
    answer.body.destroy();
    if (start.signal?.aborted) return { kind: "left", wasCalled: true };
    return { kind: "failed", failure: { ...ofThrown(deployment, thrown), wasBegun: true } };
  }
}

/** A client chooses how long it waits, so an upstream that timed out may still be at work. */
function waitedForAnswer(thrown: UpstreamError): boolean {
  return ["timeout_headers", "timeout_body", "timeout_total"].includes(findFailure(thrown)?.kind ?? "");
}

async function open(answer: ProviderAnswer, copy: StreamCopy, sentMs: number): Promise<Attempt> {
  const iterator = answer.body[Symbol.asyncIterator]();
  const source: TapSource = {
    next: () => iterator.next(),
    destroy: () => {
      answer.body.destroy();
    },
  };
  const first = await source.next();
  const bytes = first.done === true ? Buffer.alloc(0) : first.value;
  const startedMs = nowMs();
  return { kind: "pieces", answer, first: bytes, source, copy, startedMs, upstreamMs: startedMs - sentMs };
}

function includesUsage({ stream_options: options }: JsonObject): boolean {
  return isJsonObject(options) && options.include_usage === true;
}

function send({ start, deployment }: RoutedCall, form: FormData | null, onBegun: () => void): Promise<ProviderAnswer> {
  const { operation, headers } = start;
  const isStream = start.body.stream === true;
  const provider = findProvider(deployment.provider, deployment.upstreamModel);
  if (!provider) throw new Error(`There is no provider ${deployment.provider}.`);
  const isBridged = operation.name === "messages" && !provider.takes(operation) && provider.takes(chat);
  const body = toUpstreamBody(start.body, {
    model: deployment.upstreamModel,
    // They are in the words of the provider's own API.
    defaults: isBridged ? {} : deployment.defaults,
    forwardsMetadata: operation.forwardsMetadata === true,
  });
  if (isStream && operation.asksForUsage === true) askForUsage(body, provider.streamUsage?.(deployment) ?? "asked");
  const asked = readTimeoutMs(start.body, headers, isStream);
  const timeoutMs = asked ?? (isStream ? deployment.streamTimeoutMs : deployment.timeoutMs);
  // A stream may go on for as long as it comes, unless somebody set a time for the whole of it.
  const totalTimeoutMs = isStream ? deployment.wholeStreamTimeoutMs : timeoutMs;
  assertTakes(deployment, operation.name, isBridged || provider.takes(operation));
  const call = { deployment, operation, body, form, headers, signal: start.signal, timeoutMs, totalTimeoutMs, onBegun };
  return isBridged ? answerMessages(call, provider) : provider.send(call);
}

/** The log needs the usage of a stream also where the client did not ask for it. */
function askForUsage(body: JsonObject, how: "asked" | "unasked" | "never"): void {
  const { include_usage: _asked, ...others } = isJsonObject(body.stream_options) ? body.stream_options : {};
  if (how === "asked") body.stream_options = { ...others, include_usage: true };
  if (how !== "unasked") return;
  if (Object.keys(others).length > 0) body.stream_options = others;
  else delete body.stream_options;
}

function assertTakes({ provider, modelName }: Deployment, operation: string, takes: boolean): void {
  if (takes) return;
  const message = `The model ${modelName} (${provider}) cannot answer a call of the kind ${operation}.`;
  throw new AppError("bad_request", message, { type: "invalid_request_error", param: "model" });
}
