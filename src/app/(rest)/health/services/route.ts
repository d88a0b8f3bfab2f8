import { z } from "zod";
import { route } from "#http/route.ts";
import { checkService } from "#logging/check-service.ts";

/** Checks the destination of one global callback. */
export const GET = route({ auth: "admin", query: z.object({ service: z.string().min(1) }) }, ({ db, query }) =>
  checkService(db, query.service, process.env),
);
