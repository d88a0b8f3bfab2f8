import { actorOf } from "#http/actor.ts";
import { jsonResponse, route } from "#http/route.ts";
import { withWarning } from "#http/with-warning.ts";
import { idleFieldsWarning } from "#keys/idle-fields.ts";
import { UpdateKey } from "#keys/key.ts";
import { updateKey, UpdatedKey } from "#keys/update-key.ts";

export const POST = route(
  {
    auth: "writer",
    class: "key_write",
    describe: {
      summary: "Change a key",
      details:
        "What is absent stays. `metadata` replaces the stored object, and with it the callbacks; a masked secret that comes back keeps what is stored.",
      tag: "Keys",
      answer: UpdatedKey,
      example: { key: "sk-9v6I-jf9-eYtg_PwM8OKgQ", models: ["gpt-4o"] },
      refusals: {
        400: "A value does not fit: a limit, a duration, a callback or an entry of metadata.logging.",
        404: "There is no such key.",
      },
    },
    body: UpdateKey,
  },
  async ({ db, caller, body, request, callId }) => {
    const row = await updateKey(db, actorOf(caller, request), body);
    return withWarning(jsonResponse(row, callId), idleFieldsWarning(body));
  },
);
