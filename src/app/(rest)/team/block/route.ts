import { actorOf } from "#http/actor.ts";
import { route } from "#http/route.ts";
import { blockTeam } from "#teams/block-team.ts";
import { TeamName } from "#teams/team.ts";
import { TeamRow } from "#teams/team-row.ts";

export const POST = route(
  {
    auth: "admin",
    class: "write",
    describe: {
      summary: "Block all keys of a team from their next call on",
      tag: "Teams",
      answer: TeamRow,
      example: { team_id: "team-search" },
      refusals: { 404: "There is no such team." },
    },
    body: TeamName,
  },
  ({ db, caller, body, request }) => blockTeam(db, actorOf(caller, request), { teamId: body.team_id, blocked: true }),
);
