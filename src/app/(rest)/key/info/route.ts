import { z } from "zod";
import { route } from "#http/route.ts";
import { getKey } from "#keys/get-key.ts";

export const GET = route({ auth: "key", query: z.object({ key: z.string().optional() }) }, ({ db, caller, query }) =>
  getKey(db, caller, query.key),
);
