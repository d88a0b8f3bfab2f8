import { actorOf } from "#http/actor.ts";
import { route } from "#http/route.ts";
import { blockTeam } from "#teams/block-team.ts";
import { TeamName } from "#teams/team.ts";

export const POST = route({ auth: "admin", body: TeamName }, ({ db, caller, body, request }) =>
  blockTeam(db, actorOf(caller, request), { teamId: body.team_id, blocked: false }),
);
