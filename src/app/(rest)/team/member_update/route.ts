import { actorOf } from "#http/actor.ts";
import { jsonResponse, route } from "#http/route.ts";
import { withWarning } from "#http/with-warning.ts";
import { idleFieldsWarning } from "#keys/idle-fields.ts";
import { UpdateMember } from "#teams/team.ts";
import { updateMember } from "#teams/update-member.ts";

export const POST = route({ auth: "admin", body: UpdateMember }, async ({ db, caller, body, request, callId }) => {
  const member = await updateMember(db, actorOf(caller, request), body);
  return withWarning(jsonResponse(member, callId), idleFieldsWarning(body));
});
