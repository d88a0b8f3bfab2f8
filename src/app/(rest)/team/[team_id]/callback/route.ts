import { z } from "zod";
import { actorOf } from "#http/actor.ts";
import { route } from "#http/route.ts";
import { addCallback } from "#teams/add-callback.ts";
import { listCallbacks } from "#teams/list-callbacks.ts";
import { AddCallback } from "#teams/team.ts";

const Query = z.object({ test: z.enum(["true", "false"]).default("false") });

/** With `?test=true` a callback is saved only if its destination takes records now. */
export const POST = route(
  { auth: "admin", body: AddCallback, query: Query },
  async ({ db, caller, body, query, params, request }) => {
    const input = { ...body, teamId: params.team_id ?? "", testIn: query.test === "true" ? process.env : null };
    return { status: "success", data: await addCallback(db, actorOf(caller, request), input) };
  },
);

export const GET = route({ auth: "admin" }, async ({ db, params }) => ({
  status: "success",
  data: await listCallbacks(db, params.team_id ?? ""),
}));
