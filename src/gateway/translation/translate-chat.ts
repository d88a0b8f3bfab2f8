import type { LanguageModelV4, LanguageModelV4CallOptions, LanguageModelV4StreamPart } from "@ai-sdk/provider";
import type { Deployment } from "#gateway/models.ts";
import type { ProviderAnswer, ProviderCall } from "#gateway/providers/provider.ts";
import { toChatCompletion } from "#gateway/translation/chat-answer.ts";
import { makeChunks, type ChunkMaker } from "#gateway/translation/chat-chunks.ts";
import { toCallOptions, type VendorWords } from "#gateway/translation/chat-options.ts";
import { readChatRequest } from "#gateway/translation/chat-request.ts";
import { findLeftOut } from "#gateway/translation/find-left-out.ts";
import { toAnswerBody, toWholeBody } from "#gateway/translation/answer-body.ts";
import { fetchNothing, makeProviderFetch, type ProviderFetch } from "#gateway/translation/provider-fetch.ts";
import { toErrorFrame, toFailedAnswer } from "#gateway/translation/provider-failure.ts";
import { withoutSecrets } from "#gateway/without-secrets.ts";
import { UpstreamError } from "#lib/errors.ts";

/** A vendor whose wire is not OpenAI's: how it is spoken to, and the library that speaks it. */
export type Translator = {
  words: VendorWords;
  /** Loads the library with the first call, so that a gateway without such a model does not pay for it. */
  makeModel(call: ProviderCall, fetch: ProviderFetch): Promise<LanguageModelV4>;
};

/**
 * Answers a chat of OpenAI's wire with a vendor that has another one; the answer is in OpenAI's shapes, streamed ones
 * chunk by chunk as they come. Throws a 400 that names what cannot be translated, before anything is sent.
 */
export async function translateChat(call: ProviderCall, { words, makeModel }: Translator): Promise<ProviderAnswer> {
  const { deployment, body } = call;
  const { request, dropped } = readChatRequest(body, words, deployment.dropsParams);
  const options = toCallOptions(request, words);
  const ending = new AbortController();
  const signal = call.signal ? AbortSignal.any([call.signal, ending.signal]) : ending.signal;
  const send = makeProviderFetch({ ...call, signal });
  let fetch = fetchNothing;
  const model = await makeModel(call, (input, init) => fetch(input, init));
  dropped.push(...(await findLeftOut(model, options, { words, drops: deployment.dropsParams })));
  fetch = send;
  const asked = { model, options, includesUsage: request.stream_options?.include_usage === true };
  const notes = dropped.length === 0 ? {} : { dropped };
  try {
    return { ...(request.stream === true ? await stream(asked, ending, call) : await generate(asked)), ...notes };
  } catch (thrown) {
    return toFailedAnswer(thrown);
  }
}

type Asked = { model: LanguageModelV4; options: LanguageModelV4CallOptions; includesUsage: boolean };

async function generate({ model, options }: Asked): Promise<ProviderAnswer> {
  const result = await model.doGenerate(options);
  const text = JSON.stringify(toChatCompletion(result, model.modelId));
  const headers = { ...result.response?.headers, "content-type": "application/json" };
  return { status: 200, headers, body: toWholeBody(text) };
}

async function stream(
  { model, options, includesUsage }: Asked,
  ending: AbortController,
  { deployment }: ProviderCall,
): Promise<ProviderAnswer> {
  const result = await model.doStream(options);
  const reader = result.stream.getReader();
  const frames = toFrames(reader, makeChunks(model.modelId, includesUsage), deployment);
  const body = toAnswerBody(frames, () => ending.abort(new Error("The reader is done.")));
  const headers = { ...result.response?.headers, "content-type": "text/event-stream; charset=utf-8" };
  return { status: 200, headers, body };
}

async function* toFrames(
  reader: ReadableStreamDefaultReader<LanguageModelV4StreamPart>,
  chunks: ChunkMaker,
  deployment: Deployment,
): AsyncGenerator<Buffer, undefined> {
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    if (value.type === "error") {
      yield Buffer.from(withoutSecrets(toErrorFrame(value.error), deployment), "utf8");
      return;
    }
    const wasComplete = chunks.isComplete();
    const frames = chunks.add(value).map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`);
    if (chunks.isComplete() && !wasComplete) frames.push("data: [DONE]\n\n");
    if (frames.length > 0) yield Buffer.from(frames.join(""), "utf8");
  }
  if (!chunks.isComplete()) throw new UpstreamError(0, "The upstream's answer broke off before it was complete.");
}
