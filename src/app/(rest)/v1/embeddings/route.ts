import { callRoute } from "#app/(rest)/call-route.ts";
import { embedding } from "#gateway/operations/embedding.ts";

/** The embeddings of one text or many, in OpenAI's shapes. */
export const POST = callRoute(embedding);
