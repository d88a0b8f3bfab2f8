import { actorOf } from "#http/actor.ts";
import { jsonResponse, route } from "#http/route.ts";
import { withWarning } from "#http/with-warning.ts";
import { idleFieldsWarning } from "#keys/idle-fields.ts";
import { UpdateKey } from "#keys/key.ts";
import { updateKey } from "#keys/update-key.ts";

export const POST = route({ auth: "admin", body: UpdateKey }, async ({ db, caller, body, request, callId }) => {
  const row = await updateKey(db, actorOf(caller, request), body);
  return withWarning(jsonResponse(row, callId), idleFieldsWarning(body));
});
