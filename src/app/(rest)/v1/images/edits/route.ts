import { formRoute } from "#app/(rest)/call-route.ts";
import { imageEdit } from "#gateway/operations/image.ts";

/** Pictures made from pictures, in OpenAI's shapes. */
export const POST = formRoute(imageEdit);
