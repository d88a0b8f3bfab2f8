import { actorOf } from "#http/actor.ts";
import { jsonResponse, route } from "#http/route.ts";
import { withWarning } from "#http/with-warning.ts";
import { idleFieldsWarning } from "#keys/idle-fields.ts";
import { addMembers, MembersAdded } from "#teams/add-members.ts";
import { AddMembers } from "#teams/team.ts";

export const POST = route(
  {
    auth: "writer",
    class: "team_write",
    describe: {
      summary: "Add members to a team, all or none",
      tag: "Teams",
      answer: MembersAdded,
      example: { team_id: "team-search", member: { role: "user", user_email: "ada@example.com" } },
      refusals: { 400: "Somebody is in the team already, or a limit is negative.", 404: "There is no such team." },
    },
    body: AddMembers,
  },
  async ({ db, caller, body, request, callId }) => {
    const row = await addMembers(db, actorOf(caller, request), body);
    return withWarning(jsonResponse(row, callId), idleFieldsWarning(body));
  },
);
