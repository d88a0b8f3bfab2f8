import { actorOf } from "#http/actor.ts";
import { route } from "#http/route.ts";
import { deleteKeys } from "#keys/delete-keys.ts";
import { DeleteKeys } from "#keys/key.ts";
import { z } from "zod";

export const POST = route(
  {
    auth: "writer",
    class: "key_write",
    describe: {
      summary: "Delete keys, with their callbacks",
      tag: "Keys",
      answer: z.object({ deleted_keys: z.array(z.string()).describe("As they were named.") }),
      example: { keys: ["sk-old-jf9-eYtg_PwM8OKgQ"] },
      refusals: { 404: "None of the keys exists." },
    },
    body: DeleteKeys,
  },
  async ({ db, caller, body, request }) => ({
    deleted_keys: await deleteKeys(db, actorOf(caller, request), body),
  }),
);
