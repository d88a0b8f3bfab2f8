import { actorOf } from "#http/actor.ts";
import { route } from "#http/route.ts";
import { listUsers, UserPage } from "#users/list-users.ts";
import { ListUsers } from "#users/user.ts";

export const GET = route(
  {
    auth: "admin_viewer",
    class: "operate",
    describe: { summary: "List users, the newest first", tag: "Users", answer: UserPage },
    query: ListUsers,
  },
  ({ db, caller, query, request }) => listUsers(db, actorOf(caller, request), query),
);
