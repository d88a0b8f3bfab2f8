import { actorOf } from "#http/actor.ts";
import { jsonResponse, route } from "#http/route.ts";
import { withWarning } from "#http/with-warning.ts";
import { generateKey, GeneratedKey } from "#keys/generate-key.ts";
import { idleFieldsWarning } from "#keys/idle-fields.ts";
import { GenerateKey } from "#keys/key.ts";

export const POST = route(
  {
    auth: "writer",
    class: "key_write",
    describe: {
      summary: "Make a virtual key",
      details: "`metadata.logging` gives the key its own destinations; an empty list opts it out of logging.",
      tag: "Keys",
      answer: GeneratedKey,
      example: {
        key_alias: "search-api",
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
    const made = await generateKey(db, actorOf(caller, request), body);
    return withWarning(jsonResponse(made, callId), idleFieldsWarning(body));
  },
);
