import { randomUUID } from "node:crypto";
import type { Database } from "#lib/db.ts";
import type { Actor, Role } from "#keys/actor.ts";
import { generateKey, type GeneratedKey } from "#keys/generate-key.ts";
import { GenerateKey } from "#keys/key.ts";
import { createTeam } from "#teams/create-team.ts";
import type { TeamRow } from "#teams/team-row.ts";
import { CreateTeam } from "#teams/team.ts";

/** The holder of the master key. */
export const masterActor: Actor = {
  role: "proxy_admin",
  userId: "default_user_id",
  keyHash: null,
  teamId: null,
  changedBy: null,
};

/** Makes a team with an id that no other test has, unless `fields` (as on the wire) name one. */
export function makeTeam(db: Database["db"], fields: Record<string, unknown> = {}): Promise<TeamRow> {
  return createTeam(db, masterActor, CreateTeam.parse({ team_id: `team-${randomUUID()}`, ...fields }));
}

/** Makes a user with an id that no other test has. */
export async function makeUser(db: Database["db"], role: Role = "internal_user"): Promise<string> {
  const { id } = await db.user.create({ data: { id: `user-${randomUUID()}`, role }, select: { id: true } });
  return id;
}

/** Makes a virtual key with the given fields, as on the wire. */
export function makeKey(db: Database["db"], fields: Record<string, unknown> = {}): Promise<GeneratedKey> {
  return generateKey(db, masterActor, GenerateKey.parse(fields));
}
