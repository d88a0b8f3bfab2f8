import { actorOf } from "#http/actor.ts";
import { route } from "#http/route.ts";
import { blockKey } from "#keys/block-key.ts";
import { KeyName } from "#keys/key.ts";

export const POST = route({ auth: "admin", body: KeyName }, ({ db, caller, body, request }) =>
  blockKey(db, actorOf(caller, request), { key: body.key, blocked: false }),
);
