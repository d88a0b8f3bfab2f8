import { actorOf } from "#http/actor.ts";
import { jsonResponse, route } from "#http/route.ts";
import { withWarning } from "#http/with-warning.ts";
import { generateServiceAccountKey } from "#keys/generate-service-account-key.ts";
import { idleFieldsWarning } from "#keys/idle-fields.ts";
import { GenerateKey } from "#keys/key.ts";
import { GeneratedKey } from "#keys/generate-key.ts";

export const POST = route(
  {
    auth: "writer",
    class: "key_write",
    describe: {
      summary: "Make a key that belongs to a team and to no user",
      details: "It outlives whoever made it. `team_id` is needed, `user_id` is refused.",
      tag: "Keys",
      answer: GeneratedKey,
      example: {
        team_id: "team-search",
        key_alias: "search-service",
        metadata: {
          logging: [
            {
              callback_name: "langfuse",
              callback_type: "success",
              callback_vars: { langfuse_public_key: "pk-lf-1234", langfuse_secret_key: "sk-lf-1234" },
            },
          ],
        },
      },
      refusals: { 400: "A value does not fit, the key or its alias is taken, or a callback is not accepted." },
    },
    body: GenerateKey,
  },
  async ({ db, caller, body, request, callId }) => {
    const made = await generateServiceAccountKey(db, actorOf(caller, request), body);
    return withWarning(jsonResponse(made, callId), idleFieldsWarning(body));
  },
);
