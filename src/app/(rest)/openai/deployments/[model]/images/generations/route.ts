import { callRoute } from "#app/(rest)/call-route.ts";
import { image } from "#gateway/operations/image.ts";

/** The same as `/v1/images/generations`, with the model in the path. */
export const POST = callRoute(image, { params: "model" });
