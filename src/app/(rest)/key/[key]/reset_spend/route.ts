import { actorOf } from "#http/actor.ts";
import { route } from "#http/route.ts";
import { ResetSpend } from "#keys/key.ts";
import { resetSpend } from "#keys/reset-spend.ts";

export const POST = route({ auth: "admin", body: ResetSpend }, ({ db, caller, body, params, request }) =>
  resetSpend(db, actorOf(caller, request), { key: params.key ?? "", resetTo: body.reset_to }),
);
