import { actorOf } from "#http/actor.ts";
import { jsonResponse, route } from "#http/route.ts";
import { withWarning } from "#http/with-warning.ts";
import { generateServiceAccountKey } from "#keys/generate-service-account-key.ts";
import { idleFieldsWarning } from "#keys/idle-fields.ts";
import { GenerateKey } from "#keys/key.ts";

export const POST = route({ auth: "admin", body: GenerateKey }, async ({ db, caller, body, request, callId }) => {
  const made = await generateServiceAccountKey(db, actorOf(caller, request), body);
  return withWarning(jsonResponse(made, callId), idleFieldsWarning(body));
});
