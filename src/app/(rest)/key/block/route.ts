import { actorOf } from "#http/actor.ts";
import { route } from "#http/route.ts";
import { blockKey } from "#keys/block-key.ts";
import { KeyName } from "#keys/key.ts";
import { KeyRow } from "#keys/key-row.ts";

export const POST = route(
  {
    auth: "writer",
    class: "key_write",
    describe: {
      summary: "Block a key from its next call on",
      tag: "Keys",
      answer: KeyRow,
      example: { key: "sk-9v6I-jf9-eYtg_PwM8OKgQ" },
      refusals: { 400: "The text can be no key.", 404: "There is no such key." },
    },
    body: KeyName,
  },
  ({ db, caller, body, request }) => blockKey(db, actorOf(caller, request), { key: body.key, blocked: true }),
);
