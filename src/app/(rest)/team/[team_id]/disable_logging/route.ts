import { actorOf } from "#http/actor.ts";
import { route } from "#http/route.ts";
import { disableLogging } from "#teams/disable-logging.ts";

export const POST = route({ auth: "admin" }, async ({ db, caller, params, request }) => {
  const teamId = params.team_id ?? "";
  await disableLogging(db, actorOf(caller, request), teamId);
  return {
    status: "success",
    message: `Logging disabled for team ${teamId}`,
    data: { team_id: teamId, success_callbacks: [], failure_callbacks: [] },
  };
});
