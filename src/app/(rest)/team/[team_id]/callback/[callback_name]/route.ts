import { actorOf } from "#http/actor.ts";
import { route } from "#http/route.ts";
import { deleteCallback } from "#teams/delete-callback.ts";

export const DELETE = route({ auth: "admin" }, async ({ db, caller, params, request }) => {
  const { team_id: teamId = "", callback_name: callbackName = "" } = params;
  const data = await deleteCallback(db, actorOf(caller, request), { teamId, callbackName });
  return { status: "success", message: `Callback ${callbackName} removed for team ${teamId}`, data };
});
