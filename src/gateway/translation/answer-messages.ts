import type { ProviderAnswer, ProviderCall, Provider } from "#gateway/providers/provider.ts";
import { makeFrameSplitter } from "#gateway/event-frames.ts";
import { toMessagesErrorFrame } from "#gateway/messages-stream.ts";
import { readJsonAnswer } from "#gateway/operation.ts";
import { chat } from "#gateway/operations/chat.ts";
import { ownError, parseChunk } from "#gateway/stream-wire.ts";
import { toAnswerBody, toWholeBody } from "#gateway/translation/answer-body.ts";
import { toMessage } from "#gateway/translation/messages-answer.ts";
import { makeMessageEvents } from "#gateway/translation/messages-events.ts";
import { readMessagesRequest } from "#gateway/translation/messages-request.ts";
import { toChatBody } from "#gateway/translation/messages-to-chat.ts";
import { AppError } from "#lib/errors.ts";
import { readBody } from "#lib/fetch-upstream.ts";
import { isJsonObject, type JsonObject } from "#logging/record.ts";

const answerBytesMax = 64 * 1024 * 1024;

/**
 * Answers a request of Anthropic's Messages API with a provider that knows OpenAI's chat: asked in its words, answered
 * in Anthropic's, streamed event by event. Throws a 400 that names what OpenAI's chat cannot say; a provider's refusal
 * is passed on as it is.
 */
export async function answerMessages(call: ProviderCall, provider: Provider): Promise<ProviderAnswer> {
  const { deployment } = call;
  const { defaults, dropsParams, upstreamModel } = deployment;
  const { request, dropped } = readMessagesRequest(call.body, { vendor: provider.name, drops: dropsParams });
  const target = { vendor: provider.name, model: upstreamModel, isTranslated: provider.translates === true };
  const body = { ...defaults, ...toChatBody(request, target) };
  const answer = await provider.send({ ...call, operation: chat, body });
  const notes = [...dropped, ...(answer.dropped ?? [])];
  const noted = notes.length === 0 ? answer : { ...answer, dropped: notes };
  if (answer.status < 200 || answer.status >= 300) return noted;
  call.onBegun?.();
  const isStream = answer.headers["content-type"]?.includes("event-stream") === true;
  if (isStream) return { ...noted, body: toAnswerBody(toEvents(answer.body), () => answer.body.destroy()) };
  const bytes = await readBody({ ...answer, headers: {} }, answerBytesMax);
  return { ...noted, body: toWholeBody(JSON.stringify(toMessage(readJsonAnswer(bytes)))) };
}

async function* toEvents(body: ProviderAnswer["body"]): AsyncGenerator<Buffer, undefined> {
  const splitter = makeFrameSplitter();
  const events = makeMessageEvents();
  let isOver = false;
  for await (const bytes of body) {
    const out: string[] = [];
    for (const { data } of splitter.push(bytes)) {
      if (data === null || isOver) continue;
      if (data.trim() === "[DONE]") {
        out.push(...events.end().map(toFrame));
        isOver = true;
        continue;
      }
      const chunk = parseChunk(data);
      if (!chunk) continue;
      const failure = ownError(chunk);
      if (failure) {
        yield Buffer.from(out.join("") + toErrorFrame(failure), "utf8");
        return;
      }
      out.push(...events.add(chunk).map(toFrame));
    }
    if (out.length > 0) yield Buffer.from(out.join(""), "utf8");
  }
  // Not every server closes its stream with [DONE].
  if (!isOver) yield Buffer.from(events.end().map(toFrame).join(""), "utf8");
}

function toFrame(event: JsonObject): string {
  const name = typeof event.type === "string" ? event.type : "message";
  return `event: ${name}\ndata: ${JSON.stringify(event)}\n\n`;
}

/** The upstream's own error in the middle of its stream, in Anthropic's words. */
function toErrorFrame({ error }: JsonObject): string {
  const said = isJsonObject(error) ? error : {};
  const message = typeof said.message === "string" ? said.message : "The upstream's stream failed.";
  const status = Number(said.code ?? said.status);
  return toMessagesErrorFrame(
    new AppError("internal", message, {
      status: Number.isInteger(status) && status >= 400 && status <= 599 ? status : 500,
    }),
  );
}
