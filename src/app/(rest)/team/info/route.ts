import { z } from "zod";
import { actorOf } from "#http/actor.ts";
import { route } from "#http/route.ts";
import { getTeam } from "#teams/get-team.ts";
import { TeamRow } from "#teams/team-row.ts";
import { KeyRow } from "#keys/key-row.ts";

const Answer = z.object({
  team_id: z.string(),
  team_info: TeamRow,
  keys: z.array(KeyRow),
  team_memberships: z.array(z.json()),
});

export const GET = route(
  {
    auth: "key",
    class: "read",
    describe: {
      summary: "Read a team and its keys",
      tag: "Teams",
      answer: Answer,
      refusals: { 403: "The caller may not read this team.", 404: "There is no such team." },
    },
    query: z.object({ team_id: z.string() }),
  },
  async ({ db, caller, query, request }) => {
    const { team, keys } = await getTeam(db, actorOf(caller, request), query.team_id);
    return { team_id: team.team_id, team_info: team, keys, team_memberships: [] };
  },
);
