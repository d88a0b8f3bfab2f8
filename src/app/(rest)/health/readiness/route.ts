import { readReadiness } from "#http/readiness.ts";
import { route } from "#http/route.ts";

/** 200 while calls can be served, 503 while the database is away or the gateway stops. */
export const GET = route({ auth: "none" }, ({ db }) => readReadiness(db));
