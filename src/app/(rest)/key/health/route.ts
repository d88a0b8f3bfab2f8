import { route } from "#http/route.ts";
import { checkKey } from "#keys/check-key.ts";

/** Checks the destinations of the calling key. The body is ignored, as LiteLLM does. */
export const POST = route({ auth: "key" }, ({ db, caller }) => checkKey(db, caller, process.env));
