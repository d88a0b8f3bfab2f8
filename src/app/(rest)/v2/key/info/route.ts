import { actorOf } from "#http/actor.ts";
import { route } from "#http/route.ts";
import { getKeys, KeysInfo } from "#keys/get-keys.ts";
import { KeyNames } from "#keys/key.ts";

export const POST = route(
  {
    auth: "key",
    class: "key_read",
    describe: {
      summary: "Read several keys",
      details: "Keys that do not exist, or that the caller may not read, are left out of `info`.",
      tag: "Keys",
      answer: KeysInfo,
      example: { keys: ["sk-9v6I-jf9-eYtg_PwM8OKgQ"] },
    },
    body: KeyNames,
  },
  ({ db, caller, body, request }) => getKeys(db, actorOf(caller, request), body.keys),
);
