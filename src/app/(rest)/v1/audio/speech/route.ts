import { callRoute } from "#app/(rest)/call-route.ts";
import { speech } from "#gateway/operations/audio.ts";

/** A text as spoken audio, as it comes. */
export const POST = callRoute(speech);
