import { callRoute } from "#app/(rest)/call-route.ts";
import { text } from "#gateway/operations/text.ts";

/** The same as `/v1/completions`, with the model in the path. */
export const POST = callRoute(text, { params: "model" });
