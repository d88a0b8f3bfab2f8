import type { Actor } from "#keys/actor.ts";
import type { Caller } from "#keys/caller.ts";

/** Who acts through a request: the caller, and whom the `litellm-changed-by` header names. */
export function actorOf(caller: Caller, request: Request): Actor {
  const named = request.headers.get("litellm-changed-by")?.trim() ?? "";
  const { role, userId, keyHash, teamId } = caller;
  return { role, userId, keyHash, teamId, changedBy: named === "" ? null : named.slice(0, 256) };
}
