import { z } from "zod";
import { route } from "#http/route.ts";
import { isStorable, unstorableMessage } from "#lib/storable.ts";
import { listTeams } from "#teams/list-teams.ts";

const Query = z
  .object({ user_id: z.string().optional(), organization_id: z.string().optional() })
  .refine(isStorable, unstorableMessage);

export const GET = route({ auth: "key", query: Query }, ({ db, caller, query }) => listTeams(db, caller, query));
