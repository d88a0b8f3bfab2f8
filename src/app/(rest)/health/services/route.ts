import { z } from "zod";
import { route } from "#http/route.ts";
import { checkService, ServiceHealth } from "#logging/check-service.ts";

/** Checks the destination of one global callback. */
export const GET = route(
  {
    auth: "admin",
    class: "read",
    describe: {
      summary: "Check the destination of a callback of config.yaml",
      tag: "Health",
      answer: ServiceHealth,
      refusals: {
        400: "config.yaml does not list this callback.",
        503: "The destination does not take records; the message has its own words.",
      },
    },
    query: z.object({ service: z.string().min(1) }),
  },
  ({ db, query }) => checkService(db, query.service, process.env),
);
