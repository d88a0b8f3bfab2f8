import { callRoute } from "#app/(rest)/call-route.ts";
import { chat } from "#gateway/operations/chat.ts";

/** A chat completion, plain or streamed, in OpenAI's shapes. */
export const POST = callRoute(chat);
