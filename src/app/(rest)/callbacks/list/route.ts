import { route } from "#http/route.ts";
import { listGlobalCallbacks } from "#logging/list-global-callbacks.ts";

/** The callbacks of config.yaml that are active. */
export const GET = route({ auth: "key" }, async () => listGlobalCallbacks());
