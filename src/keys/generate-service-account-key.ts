import type { Database } from "#lib/db.ts";
import { AppError } from "#lib/errors.ts";
import { createKey, type GeneratedKey } from "#keys/generate-key.ts";
import type { GenerateKey } from "#keys/key.ts";
import type { Actor } from "#keys/actor.ts";

/**
 * Makes a key that belongs to a team and to no user, so that it outlives whoever made it. Throws 400 without a team,
 * with a user, and as `generateKey`.
 */
export async function generateServiceAccountKey(
  db: Database["db"],
  actor: Actor,
  input: GenerateKey,
): Promise<GeneratedKey> {
  if (!input.team_id) {
    const message = "team_id is required for service account keys. Please specify `team_id` in the request body.";
    throw new AppError("bad_request", message, { param: "team_id" });
  }
  if (input.user_id) {
    throw new AppError("bad_request", "A service account key has no user; leave user_id out.", { param: "user_id" });
  }
  return createKey(db, actor, { input, isServiceAccount: true });
}
