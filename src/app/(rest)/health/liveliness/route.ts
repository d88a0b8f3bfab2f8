import { jsonResponse, route } from "#http/route.ts";
import { z } from "zod";

/** Says that the process runs, and nothing else. */
export const GET = route(
  {
    auth: "none",
    class: "open",
    describe: { summary: "Ask whether the process runs", tag: "Health", answer: z.literal("I'm alive!") },
  },
  async ({ callId }) => jsonResponse("I'm alive!", callId),
);
