import { actorOf } from "#http/actor.ts";
import { jsonResponse, route } from "#http/route.ts";
import { withWarning } from "#http/with-warning.ts";
import { idleFieldsWarning } from "#keys/idle-fields.ts";
import { createTeam } from "#teams/create-team.ts";
import { CreateTeam } from "#teams/team.ts";
import { TeamRow } from "#teams/team-row.ts";

export const POST = route(
  {
    auth: "admin",
    class: "write",
    describe: {
      summary: "Make a team",
      details: "Whoever makes it is its administrator. Keys that name the team already join it.",
      tag: "Teams",
      answer: TeamRow,
      example: { team_id: "team-answers", team_alias: "Answers", models: ["gpt-4o"] },
      refusals: { 400: "The id is taken, or a value does not fit." },
    },
    body: CreateTeam,
  },
  async ({ db, caller, body, request, callId }) => {
    const row = await createTeam(db, actorOf(caller, request), body);
    return withWarning(jsonResponse(row, callId), idleFieldsWarning(body));
  },
);
