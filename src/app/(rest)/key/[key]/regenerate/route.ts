import { actorOf } from "#http/actor.ts";
import { jsonResponse, route } from "#http/route.ts";
import { withWarning } from "#http/with-warning.ts";
import { idleFieldsWarning } from "#keys/idle-fields.ts";
import { RegenerateKey } from "#keys/key.ts";
import { regenerateKey } from "#keys/regenerate-key.ts";

export const POST = route(
  { auth: "admin", body: RegenerateKey },
  async ({ db, caller, body, params, request, callId }) => {
    const made = await regenerateKey(db, actorOf(caller, request), { ...body, key: params.key ?? "" });
    return withWarning(jsonResponse(made, callId), idleFieldsWarning(body));
  },
);
