import { actorOf } from "#http/actor.ts";
import { route } from "#http/route.ts";
import { deleteMember } from "#teams/delete-member.ts";
import { MemberName } from "#teams/team.ts";
import { TeamRow } from "#teams/team-row.ts";

export const POST = route(
  {
    auth: "writer",
    class: "team_write",
    describe: {
      summary: "Remove a member from a team",
      details: "The keys of the member stay.",
      tag: "Teams",
      answer: TeamRow,
      example: { team_id: "team-search", user_email: "grace@example.com" },
      refusals: { 400: "There is no such team, or no such member." },
    },
    body: MemberName,
  },
  ({ db, caller, body, request }) => deleteMember(db, actorOf(caller, request), body),
);
