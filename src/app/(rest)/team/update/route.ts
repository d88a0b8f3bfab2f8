import { actorOf } from "#http/actor.ts";
import { jsonResponse, route } from "#http/route.ts";
import { withWarning } from "#http/with-warning.ts";
import { idleFieldsWarning } from "#keys/idle-fields.ts";
import { UpdateTeam } from "#teams/team.ts";
import { updateTeam } from "#teams/update-team.ts";
import { z } from "zod";
import { TeamRow } from "#teams/team-row.ts";

export const POST = route(
  {
    auth: "writer",
    class: "team_write",
    describe: {
      summary: "Change a team",
      details:
        "What is absent stays. `metadata` replaces the stored object, and with it the callbacks. A disabled team stays disabled unless `metadata.logging` names callbacks.",
      tag: "Teams",
      answer: z.object({ team_id: z.string(), data: TeamRow }),
      example: { team_id: "team-search", redaction: "content" },
      refusals: {
        400: "A value does not fit: a limit, a duration, a callback or an entry of metadata.logging.",
        404: "There is no such team.",
      },
    },
    body: UpdateTeam,
  },
  async ({ db, caller, body, request, callId }) => {
    const data = await updateTeam(db, actorOf(caller, request), body);
    return withWarning(jsonResponse({ team_id: data.team_id, data }, callId), idleFieldsWarning(body));
  },
);
