import { actorOf } from "#http/actor.ts";
import { route } from "#http/route.ts";
import { deleteTeams } from "#teams/delete-teams.ts";
import { DeleteTeams } from "#teams/team.ts";
import { z } from "zod";

export const POST = route(
  {
    auth: "admin",
    class: "write",
    describe: {
      summary: "Delete teams, with their keys, callbacks, secrets and members",
      details: "All or none.",
      tag: "Teams",
      answer: z.object({ deleted_teams: z.array(z.string()) }),
      example: { team_ids: ["team-old"] },
      refusals: { 404: "One of the teams does not exist; the message names it." },
    },
    body: DeleteTeams,
  },
  async ({ db, caller, body, request }) => ({
    deleted_teams: await deleteTeams(db, actorOf(caller, request), body.team_ids),
  }),
);
