import { z } from "zod";
import { actorOf } from "#http/actor.ts";
import { route } from "#http/route.ts";
import { isStorable, unstorableMessage } from "#lib/storable.ts";
import { getUser, UserInfo } from "#users/get-user.ts";

const Query = z.object({ user_id: z.string().optional() }).refine(isStorable, unstorableMessage);

export const GET = route(
  {
    auth: "key",
    class: "read",
    describe: {
      summary: "Read a user with his keys and teams, the calling one where none is named",
      tag: "Users",
      answer: UserInfo,
      refusals: { 403: "The user is somebody else.", 404: "There is no such user." },
    },
    query: Query,
  },
  ({ db, caller, query, request }) => getUser(db, actorOf(caller, request), query.user_id),
);
