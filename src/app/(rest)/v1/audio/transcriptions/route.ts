import { formRoute } from "#app/(rest)/call-route.ts";
import { transcription } from "#gateway/operations/audio.ts";

/** What is said in a recording, in OpenAI's shapes. */
export const POST = formRoute(transcription);
