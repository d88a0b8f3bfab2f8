import { z } from "zod";
import { actorOf } from "#http/actor.ts";
import { route } from "#http/route.ts";
import { getKeyLogging } from "#keys/get-key-logging.ts";
import { EffectiveLogging } from "#logging/effective-logging.ts";

/** Where the logs of the calling key go, and which level decided it. */
export const GET = route(
  {
    auth: "key",
    class: "read",
    describe: {
      summary: "Read where the logs of a key go, and which level decided it",
      details: "Of the calling key; an administrator may name any key.",
      tag: "Logs",
      answer: EffectiveLogging,
      refusals: { 403: "The key is somebody else's.", 404: "There is no such key." },
    },
    query: z.object({ key: z.string().optional() }),
  },
  ({ db, caller, query, request }) => getKeyLogging(db, actorOf(caller, request), { key: query.key, env: process.env }),
);
