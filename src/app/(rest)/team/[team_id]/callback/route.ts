import { actorOf } from "#http/actor.ts";
import { route } from "#http/route.ts";
import { addCallback } from "#teams/add-callback.ts";
import { listCallbacks } from "#teams/list-callbacks.ts";
import { AddCallback } from "#teams/team.ts";

export const POST = route({ auth: "admin", body: AddCallback }, async ({ db, caller, body, params, request }) => {
  const data = await addCallback(db, actorOf(caller, request), { ...body, teamId: params.team_id ?? "" });
  return { status: "success", data };
});

export const GET = route({ auth: "admin" }, async ({ db, params }) => ({
  status: "success",
  data: await listCallbacks(db, params.team_id ?? ""),
}));
