import { formRoute } from "#app/(rest)/call-route.ts";
import { translation } from "#gateway/operations/audio.ts";

/** What is said in a recording, in English. */
export const POST = formRoute(translation);
