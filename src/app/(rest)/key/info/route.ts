import { z } from "zod";
import { actorOf } from "#http/actor.ts";
import { route } from "#http/route.ts";
import { getKey, KeyInfo } from "#keys/get-key.ts";

export const GET = route(
  {
    auth: "key",
    class: "key_read",
    describe: {
      summary: "Read a key, the calling one where none is named",
      tag: "Keys",
      answer: KeyInfo,
      refusals: { 403: "The key is somebody else's.", 404: "There is no such key." },
    },
    query: z.object({ key: z.string().optional() }),
  },
  ({ db, caller, query, request }) => getKey(db, actorOf(caller, request), query.key),
);
