import { actorOf } from "#http/actor.ts";
import { jsonResponse, route } from "#http/route.ts";
import { withWarning } from "#http/with-warning.ts";
import { idleFieldsWarning } from "#keys/idle-fields.ts";
import { addMembers } from "#teams/add-members.ts";
import { AddMembers } from "#teams/team.ts";

export const POST = route({ auth: "admin", body: AddMembers }, async ({ db, caller, body, request, callId }) => {
  const row = await addMembers(db, actorOf(caller, request), body);
  return withWarning(jsonResponse(row, callId), idleFieldsWarning(body));
});
