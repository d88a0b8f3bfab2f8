import { actorOf } from "#http/actor.ts";
import { route } from "#http/route.ts";
import { deleteCallback } from "#teams/delete-callback.ts";
import { z } from "zod";
import { CallbackNames } from "#teams/list-callbacks.ts";

export const DELETE = route(
  {
    auth: "writer",
    class: "team_write",
    describe: {
      summary: "Remove every callback of a name from a team",
      details: "Without its last callback the team says nothing any more, which is not the same as disabled.",
      tag: "Team callbacks",
      answer: z.object({ status: z.literal("success"), message: z.string(), data: CallbackNames }),
      params: {
        team_id: { description: "The id of the team. It may hold slashes, plain or encoded.", example: "team-search" },
        callback_name: { description: "The name of the callbacks.", example: "langfuse" },
      },
      refusals: { 404: "There is no such team, or it has no such callback." },
    },
  },
  async ({ db, caller, params, request }) => {
    const { team_id: teamId = "", callback_name: callbackName = "" } = params;
    const data = await deleteCallback(db, actorOf(caller, request), { teamId, callbackName });
    return { status: "success" as const, message: `Callback ${callbackName} removed for team ${teamId}`, data };
  },
);
