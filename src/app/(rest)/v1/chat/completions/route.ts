import { ChatRequest, ChatAnswer } from "#gateway/chat-request.ts";
import { complete } from "#gateway/complete.ts";
import { route } from "#http/route.ts";
import { upstreamRefusals } from "#http/route-description.ts";

/** A chat completion, plain or streamed, in OpenAI's shapes. */
export const POST = route(
  {
    auth: "llm",
    describe: {
      summary: "Complete a chat, plain or streamed",
      details:
        "Everything beside `model`, `messages` and `stream` is passed on to the model's provider. The record of the call is committed before the last byte of the answer; the header `x-sluice-log` is its receipt.",
      tag: "Calls",
      answer: ChatAnswer,
      stream:
        "Chunks in OpenAI's shape, then `data: [DONE]`. A failure after the first chunk is a frame with the envelope of errors, and no `[DONE]`.",
      example: { model: "gpt-4o", messages: [{ role: "user", content: "Hello" }] },
      refusals: upstreamRefusals,
    },
    body: ChatRequest,
  },
  ({ caller, body, request, callId, callIdIsClients, path }) =>
    complete({ caller, body, headers: request.headers, callId, callIdIsClients, path }),
);
