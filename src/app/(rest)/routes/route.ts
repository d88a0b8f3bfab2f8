import { mountedRoutesState } from "#http/mounted-routes.ts";
import { route } from "#http/route.ts";

/** Every route of the wire with its methods, and who may call each. */
export const GET = route({ auth: "key" }, async () => ({ routes: mountedRoutesState.find() ?? [] }));
