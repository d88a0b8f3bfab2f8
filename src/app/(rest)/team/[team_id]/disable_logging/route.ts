import { actorOf } from "#http/actor.ts";
import { route } from "#http/route.ts";
import { disableLogging } from "#teams/disable-logging.ts";
import { z } from "zod";
import { CallbackNames } from "#teams/list-callbacks.ts";

export const POST = route(
  {
    auth: "writer",
    class: "team_write",
    describe: {
      summary: "Switch the logging of a team off",
      details:
        "When this answers, nothing of the team's calls is sent anywhere any more, by any gateway on this database, the waiting records included, whatever its keys say.",
      tag: "Team callbacks",
      answer: z.object({ status: z.literal("success"), message: z.string(), data: CallbackNames }),
      answerExample: {
        status: "success",
        message: "Logging disabled for team team-search",
        data: { team_id: "team-search", success_callbacks: [], failure_callbacks: [] },
      },
      params: {
        team_id: { description: "The id of the team. It may hold slashes, plain or encoded.", example: "team-search" },
      },
      refusals: {
        400: "`general_settings.must_log` is set.",
        404: "There is no such team.",
        503: "It is stored, but a live gateway has not confirmed it yet; calling again waits for it again.",
      },
    },
  },
  async ({ db, caller, params, request }) => {
    const teamId = params.team_id ?? "";
    await disableLogging(db, actorOf(caller, request), teamId);
    return {
      status: "success" as const,
      message: `Logging disabled for team ${teamId}`,
      data: { team_id: teamId, success_callbacks: [], failure_callbacks: [] },
    };
  },
);
