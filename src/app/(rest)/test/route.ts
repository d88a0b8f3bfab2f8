import { route } from "#http/route.ts";

/** An echo of the route, to see that a key works. */
export const GET = route({ auth: "key" }, async ({ path }) => ({ route: path }));
