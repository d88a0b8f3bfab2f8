import { ChatRequest } from "#gateway/chat-request.ts";
import { complete } from "#gateway/complete.ts";
import { route } from "#http/route.ts";

/** A chat completion, plain or streamed, in OpenAI's shapes. */
export const POST = route(
  { auth: "llm", body: ChatRequest },
  ({ caller, body, request, callId, callIdIsClients, path }) =>
    complete({ caller, body, headers: request.headers, callId, callIdIsClients, path }),
);
