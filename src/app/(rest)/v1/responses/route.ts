import { callRoute } from "#app/(rest)/call-route.ts";
import { responses } from "#gateway/operations/responses.ts";

/** An answer of OpenAI's Responses API, plain or streamed. */
export const POST = callRoute(responses);
