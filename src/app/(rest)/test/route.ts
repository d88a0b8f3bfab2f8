import { route } from "#http/route.ts";
import { z } from "zod";

/** An echo of the route, to see that a key works. */
export const GET = route(
  {
    auth: "key",
    class: "read",
    describe: {
      summary: "Echo the route, to see that a key works",
      tag: "Operations",
      answer: z.object({ route: z.string() }),
    },
  },
  async ({ path }) => ({ route: path }),
);
