import { z } from "zod";
import { route } from "#http/route.ts";
import { getTeam } from "#teams/get-team.ts";

export const GET = route({ auth: "key", query: z.object({ team_id: z.string() }) }, async ({ db, caller, query }) => {
  const { team, keys } = await getTeam(db, caller, query.team_id);
  return { team_id: team.team_id, team_info: team, keys, team_memberships: [] };
});
