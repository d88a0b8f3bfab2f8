import { randomUUID } from "node:crypto";
import type { Database } from "#lib/db.ts";
import { generateKey, type GeneratedKey } from "#keys/generate-key.ts";
import { GenerateKey } from "#keys/key.ts";
import { createTeam } from "#teams/create-team.ts";
import type { TeamRow } from "#teams/team-row.ts";
import { CreateTeam } from "#teams/team.ts";

const actor = { userId: "default_user_id", changedBy: null };

/** Makes a team with an id that no other test has, unless `fields` (as on the wire) name one. */
export function makeTeam(db: Database["db"], fields: Record<string, unknown> = {}): Promise<TeamRow> {
  return createTeam(db, actor, CreateTeam.parse({ team_id: `team-${randomUUID()}`, ...fields }));
}

/** Makes a virtual key with the given fields, as on the wire. */
export function makeKey(db: Database["db"], fields: Record<string, unknown> = {}): Promise<GeneratedKey> {
  return generateKey(db, actor, GenerateKey.parse(fields));
}
