import { jsonResponse, route } from "#http/route.ts";

/** Says that the process runs, and nothing else. */
export const GET = route({ auth: "none" }, async ({ callId }) => jsonResponse("I'm alive!", callId));
