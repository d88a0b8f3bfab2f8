import { callRoute } from "#app/(rest)/call-route.ts";
import { text } from "#gateway/operations/text.ts";

/** A text completion, plain or streamed, in OpenAI's shapes. */
export const POST = callRoute(text);
