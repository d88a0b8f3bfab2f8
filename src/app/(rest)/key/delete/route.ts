import { actorOf } from "#http/actor.ts";
import { route } from "#http/route.ts";
import { deleteKeys } from "#keys/delete-keys.ts";
import { DeleteKeys } from "#keys/key.ts";

export const POST = route({ auth: "admin", body: DeleteKeys }, async ({ db, caller, body, request }) => ({
  deleted_keys: await deleteKeys(db, actorOf(caller, request), body),
}));
