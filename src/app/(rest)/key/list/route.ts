import { route } from "#http/route.ts";
import { ListKeys, listKeys } from "#keys/list-keys.ts";

export const GET = route({ auth: "key", query: ListKeys }, ({ db, caller, query }) => listKeys(db, caller, query));
