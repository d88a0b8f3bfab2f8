import { actorOf } from "#http/actor.ts";
import { route } from "#http/route.ts";
import { bulkUpdateKeys, BulkUpdate } from "#keys/bulk-update-keys.ts";
import { BulkUpdateKeys } from "#keys/key.ts";

export const POST = route(
  {
    auth: "admin",
    class: "key_write",
    describe: {
      summary: "Change up to 500 keys",
      details: "Each by itself: one that fails leaves the others alone.",
      tag: "Keys",
      answer: BulkUpdate,
      example: { keys: [{ key: "sk-9v6I-jf9-eYtg_PwM8OKgQ", max_budget: 25 }] },
      refusals: { 400: "No key, or more than 500." },
    },
    body: BulkUpdateKeys,
  },
  ({ db, caller, body, request }) => bulkUpdateKeys(db, actorOf(caller, request), body),
);
