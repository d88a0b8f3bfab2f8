import { actorOf } from "#http/actor.ts";
import { route } from "#http/route.ts";
import { KeyPage, ListKeys, listKeys } from "#keys/list-keys.ts";

export const GET = route(
  {
    auth: "key",
    class: "key_read",
    describe: {
      summary: "List keys, the newest first",
      tag: "Keys",
      answer: KeyPage,
      refusals: { 403: "The caller may not list these keys." },
    },
    query: ListKeys,
  },
  ({ db, caller, query, request }) => listKeys(db, actorOf(caller, request), query),
);
