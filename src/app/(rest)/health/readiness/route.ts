import { readReadiness, Readiness } from "#http/readiness.ts";
import { route } from "#http/route.ts";

/** 200 while calls can be served, 503 while the database is away or the gateway stops. */
export const GET = route(
  {
    auth: "none",
    class: "open",
    describe: {
      summary: "Ask whether calls can be served",
      tag: "Health",
      answer: Readiness,
      refusals: { 503: "The database cannot be reached, or the gateway stops." },
    },
  },
  ({ db }) => readReadiness(db),
);
