import { callRoute } from "#app/(rest)/call-route.ts";
import { rerank } from "#gateway/operations/rerank.ts";

/** Documents in the order of how well they answer a query. */
export const POST = callRoute(rerank);
