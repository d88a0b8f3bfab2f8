import { z } from "zod";
import { actorOf } from "#http/actor.ts";
import { jsonResponse, route } from "#http/route.ts";
import { withWarning } from "#http/with-warning.ts";
import { idleFieldsWarning } from "#keys/idle-fields.ts";
import { RegenerateKey } from "#keys/key.ts";
import { regenerateKey } from "#keys/regenerate-key.ts";

const Body = RegenerateKey.and(z.looseObject({ key: z.string() }));

export const POST = route({ auth: "admin", body: Body }, async ({ db, caller, body, request, callId }) => {
  const made = await regenerateKey(db, actorOf(caller, request), body);
  return withWarning(jsonResponse(made, callId), idleFieldsWarning(body));
});
