import { actorOf } from "#http/actor.ts";
import { jsonResponse, route } from "#http/route.ts";
import { withWarning } from "#http/with-warning.ts";
import { idleFieldsWarning } from "#keys/idle-fields.ts";
import { createTeam } from "#teams/create-team.ts";
import { CreateTeam } from "#teams/team.ts";

export const POST = route({ auth: "admin", body: CreateTeam }, async ({ db, caller, body, request, callId }) => {
  const row = await createTeam(db, actorOf(caller, request), body);
  return withWarning(jsonResponse(row, callId), idleFieldsWarning(body));
});
