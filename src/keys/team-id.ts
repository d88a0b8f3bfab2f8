import { z } from "zod";
import type { Transaction } from "#lib/in-transaction.ts";
import { lockName } from "#lib/in-transaction.ts";

const hasControlCharacter = /\p{Cc}/u;

/** A team id: any text of 1 to 256 characters without control characters. It may hold slashes. */
export const TeamId = z
  .string()
  .min(1)
  .max(256)
  .refine((id) => !hasControlCharacter.test(id) && id.isWellFormed(), "must not hold control characters");

/** True for a text that can be a team's id. */
export function isTeamId(text: string): boolean {
  return TeamId.safeParse(text).success;
}

/**
 * Keeps the team id from being taken until the transaction ends, and says which row a key of that team belongs to: a
 * key may name a team that only config.yaml knows, and joins its row when that is made.
 */
export async function lockTeamRowId(tx: Transaction, teamId: string): Promise<string | null> {
  await lockName(tx, `team ${teamId}`);
  const team = await tx.team.findUnique({ where: { id: teamId }, select: { id: true } });
  return team?.id ?? null;
}
