import { callRoute } from "#app/(rest)/call-route.ts";
import { embedding } from "#gateway/operations/embedding.ts";

/** The same as `/v1/embeddings`, with the model in the path. */
export const POST = callRoute(embedding, { params: "model" });
