import { callRoute } from "#app/(rest)/call-route.ts";
import { speech } from "#gateway/operations/audio.ts";

/** The same as `/v1/audio/speech`, with the model in the path. */
export const POST = callRoute(speech, { params: "model" });
