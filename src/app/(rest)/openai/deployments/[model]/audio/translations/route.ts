import { formRoute } from "#app/(rest)/call-route.ts";
import { translation } from "#gateway/operations/audio.ts";

/** The same as `/v1/audio/translations`, with the model in the path. */
export const POST = formRoute(translation, { params: "model" });
