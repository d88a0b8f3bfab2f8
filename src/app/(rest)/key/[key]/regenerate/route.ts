import { actorOf } from "#http/actor.ts";
import { jsonResponse, route } from "#http/route.ts";
import { withWarning } from "#http/with-warning.ts";
import { idleFieldsWarning } from "#keys/idle-fields.ts";
import { RegenerateKey } from "#keys/key.ts";
import { regenerateKey } from "#keys/regenerate-key.ts";
import { GeneratedKey } from "#keys/generate-key.ts";

export const POST = route(
  {
    auth: "writer",
    class: "key_write",
    describe: {
      summary: "Give a key a new text",
      details:
        "Alias, spend, limits, callbacks and everything else stay. The old text ends at once, or after `grace_period`.",
      tag: "Keys",
      answer: GeneratedKey,
      example: { grace_period: "24h" },
      params: { key: { description: "The key or its SHA-256.", example: "sk-leaked-jf9-eYtg_PwM8OKgQ" } },
      refusals: {
        400: "A value does not fit: a limit, a duration, a callback or an entry of metadata.logging.",
        404: "There is no such key.",
      },
    },
    body: RegenerateKey,
  },
  async ({ db, caller, body, params, request, callId }) => {
    const made = await regenerateKey(db, actorOf(caller, request), { ...body, key: params.key ?? "" });
    return withWarning(jsonResponse(made, callId), idleFieldsWarning(body));
  },
);
