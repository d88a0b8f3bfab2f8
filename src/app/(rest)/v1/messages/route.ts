import { callRoute } from "#app/(rest)/call-route.ts";
import { messages } from "#gateway/operations/messages.ts";

/** A message of Anthropic's API, plain or streamed. */
export const POST = callRoute(messages);
