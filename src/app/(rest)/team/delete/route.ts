import { actorOf } from "#http/actor.ts";
import { route } from "#http/route.ts";
import { deleteTeams } from "#teams/delete-teams.ts";
import { DeleteTeams } from "#teams/team.ts";

export const POST = route({ auth: "admin", body: DeleteTeams }, async ({ db, caller, body, request }) => ({
  deleted_teams: await deleteTeams(db, actorOf(caller, request), body.team_ids),
}));
