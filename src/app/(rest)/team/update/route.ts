import { actorOf } from "#http/actor.ts";
import { jsonResponse, route } from "#http/route.ts";
import { withWarning } from "#http/with-warning.ts";
import { idleFieldsWarning } from "#keys/idle-fields.ts";
import { UpdateTeam } from "#teams/team.ts";
import { updateTeam } from "#teams/update-team.ts";

export const POST = route({ auth: "admin", body: UpdateTeam }, async ({ db, caller, body, request, callId }) => {
  const data = await updateTeam(db, actorOf(caller, request), body);
  return withWarning(jsonResponse({ team_id: data.team_id, data }, callId), idleFieldsWarning(body));
});
