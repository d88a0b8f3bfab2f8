import { z } from "zod";
import { actorOf } from "#http/actor.ts";
import { route } from "#http/route.ts";
import { isStorable, unstorableMessage } from "#lib/storable.ts";
import { listTeams, ListedTeam } from "#teams/list-teams.ts";

const Query = z
  .object({ user_id: z.string().optional(), organization_id: z.string().optional() })
  .refine(isStorable, unstorableMessage);

export const GET = route(
  {
    auth: "key",
    class: "read",
    describe: {
      summary: "List teams with their keys",
      tag: "Teams",
      answer: z.array(ListedTeam),
      refusals: { 401: "The key is not valid, or asks for teams of others than its own user." },
    },
    query: Query,
  },
  ({ db, caller, query, request }) => listTeams(db, actorOf(caller, request), query),
);
