import { formRoute } from "#app/(rest)/call-route.ts";
import { transcription } from "#gateway/operations/audio.ts";

/** The same as `/v1/audio/transcriptions`, with the model in the path. */
export const POST = formRoute(transcription, { params: "model" });
