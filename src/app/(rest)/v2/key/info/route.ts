import { route } from "#http/route.ts";
import { getKeys } from "#keys/get-keys.ts";
import { KeyNames } from "#keys/key.ts";

export const POST = route({ auth: "key", body: KeyNames }, ({ db, caller, body }) => getKeys(db, caller, body.keys));
