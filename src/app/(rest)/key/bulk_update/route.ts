import { actorOf } from "#http/actor.ts";
import { route } from "#http/route.ts";
import { bulkUpdateKeys } from "#keys/bulk-update-keys.ts";
import { BulkUpdateKeys } from "#keys/key.ts";

export const POST = route({ auth: "admin", body: BulkUpdateKeys }, ({ db, caller, body, request }) =>
  bulkUpdateKeys(db, actorOf(caller, request), body),
);
