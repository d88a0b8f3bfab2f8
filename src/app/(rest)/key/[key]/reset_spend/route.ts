import { actorOf } from "#http/actor.ts";
import { route } from "#http/route.ts";
import { ResetSpend } from "#keys/key.ts";
import { resetSpend, SpendReset } from "#keys/reset-spend.ts";

export const POST = route(
  {
    auth: "writer",
    class: "key_write",
    describe: {
      summary: "Set the recorded spend of a key to a smaller amount",
      tag: "Keys",
      answer: SpendReset,
      example: { reset_to: 0 },
      params: { key: { description: "The key or its SHA-256.", example: "sk-9v6I-jf9-eYtg_PwM8OKgQ" } },
      refusals: { 400: "The amount is negative, or more than was spent.", 404: "There is no such key." },
    },
    body: ResetSpend,
  },
  ({ db, caller, body, params, request }) =>
    resetSpend(db, actorOf(caller, request), { key: params.key ?? "", resetTo: body.reset_to }),
);
