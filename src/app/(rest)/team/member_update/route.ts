import { actorOf } from "#http/actor.ts";
import { jsonResponse, route } from "#http/route.ts";
import { withWarning } from "#http/with-warning.ts";
import { idleFieldsWarning } from "#keys/idle-fields.ts";
import { UpdateMember } from "#teams/team.ts";
import { updateMember, UpdatedMember } from "#teams/update-member.ts";

export const POST = route(
  {
    auth: "writer",
    class: "team_write",
    describe: {
      summary: "Change role and limits of a member inside a team",
      tag: "Teams",
      answer: UpdatedMember,
      example: { team_id: "team-search", user_email: "grace@example.com", role: "admin" },
      refusals: { 400: "There is no such team or member, or a limit is negative." },
    },
    body: UpdateMember,
  },
  async ({ db, caller, body, request, callId }) => {
    const member = await updateMember(db, actorOf(caller, request), body);
    return withWarning(jsonResponse(member, callId), idleFieldsWarning(body));
  },
);
