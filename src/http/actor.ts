import type { Caller } from "#keys/caller.ts";
import type { Actor } from "#logging/audit.ts";

/** Who writes: the caller, and whom the `litellm-changed-by` header names. */
export function actorOf(caller: Caller, request: Request): Actor {
  const named = request.headers.get("litellm-changed-by")?.trim() ?? "";
  return { userId: caller.userId, changedBy: named === "" ? null : named.slice(0, 256) };
}
