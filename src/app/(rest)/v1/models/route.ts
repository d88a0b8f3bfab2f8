import { listModels } from "#gateway/list-models.ts";
import { route } from "#http/route.ts";

/** The models that the calling key may use. */
export const GET = route({ auth: "llm" }, async ({ caller }) => listModels(caller));
