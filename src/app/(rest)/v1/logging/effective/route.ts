import { z } from "zod";
import { route } from "#http/route.ts";
import { getKeyLogging } from "#keys/get-key-logging.ts";

/** Where the logs of the calling key go, and which level decided it. */
export const GET = route({ auth: "key", query: z.object({ key: z.string().optional() }) }, ({ db, caller, query }) =>
  getKeyLogging(db, caller, { key: query.key, env: process.env }),
);
