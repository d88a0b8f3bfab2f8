import { actorOf } from "#http/actor.ts";
import { jsonResponse, route } from "#http/route.ts";
import { withWarning } from "#http/with-warning.ts";
import { idleFieldsWarning } from "#keys/idle-fields.ts";
import { updateUser, UpdatedUser } from "#users/update-user.ts";
import { UpdateUser } from "#users/user.ts";

export const POST = route(
  {
    auth: "writer",
    class: "write",
    describe: {
      summary: "Change a user",
      details: "What is absent stays. A user changes his own `user_alias` and `metadata`.",
      tag: "Users",
      answer: UpdatedUser,
      example: { user_id: "ada", user_role: "internal_user_viewer" },
      refusals: { 400: "The address is taken, or a value does not fit.", 404: "There is no such user." },
    },
    body: UpdateUser,
  },
  async ({ db, caller, body, request, callId }) => {
    const updated = await updateUser(db, actorOf(caller, request), body);
    return withWarning(jsonResponse(updated, callId), idleFieldsWarning(body));
  },
);
