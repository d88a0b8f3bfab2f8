import { actorOf } from "#http/actor.ts";
import { jsonResponse, route } from "#http/route.ts";
import { withWarning } from "#http/with-warning.ts";
import { idleFieldsWarning } from "#keys/idle-fields.ts";
import { createUser, NewUser } from "#users/create-user.ts";
import { CreateUser } from "#users/user.ts";

export const POST = route(
  {
    auth: "admin",
    class: "write",
    describe: {
      summary: "Make a user, and a key that acts as him",
      details: "With `auto_create_key: false` without a key. `teams` makes him a member of these teams.",
      tag: "Users",
      answer: NewUser,
      example: { user_id: "ada", user_email: "ada@example.com", user_role: "internal_user" },
      refusals: {
        400: "The address is taken, or a value does not fit.",
        404: "There is no such team.",
        409: "The id is taken.",
      },
    },
    body: CreateUser,
  },
  async ({ db, caller, body, request, callId }) => {
    const made = await createUser(db, actorOf(caller, request), body);
    return withWarning(jsonResponse(made, callId), idleFieldsWarning(body));
  },
);
