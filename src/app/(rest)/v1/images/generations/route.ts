import { callRoute } from "#app/(rest)/call-route.ts";
import { image } from "#gateway/operations/image.ts";

/** Pictures for a prompt, in OpenAI's shapes. */
export const POST = callRoute(image);
