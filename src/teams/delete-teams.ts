import type { Database } from "#lib/db.ts";
import { inTransaction, type Transaction } from "#lib/in-transaction.ts";
import { forgetKey, forgetTeam } from "#keys/caller-cache.ts";
import { keyColumns, toKeyRow, type StoredKey } from "#keys/key-row.ts";
import { assertProxyAdmin } from "#keys/rights.ts";
import { lockTeamRowId } from "#keys/team-id.ts";
import type { Actor } from "#keys/actor.ts";
import { writeAudit } from "#logging/audit.ts";
import { announceCallbacks } from "#logging/write-callbacks.ts";
import { applyLoggingState } from "#teams/apply-logging-state.ts";
import { noteDisable } from "#teams/note-disable.ts";
import { lockTeam, teamNotFound, toTeamRow, type StoredTeam } from "#teams/team-row.ts";

/**
 * Deletes teams with their keys, callbacks, secrets and members. When this resolves, nothing that was waiting or in
 * flight for them is sent any more, and calls of their keys that are still under way leave no record. For proxy
 * administrators. Throws 404 that names the first unknown id; then nothing is deleted.
 */
export async function deleteTeams(db: Database["db"], actor: Actor, teamIds: readonly string[]): Promise<string[]> {
  assertProxyAdmin(actor, "delete teams");
  // In one order for everybody, so that two deletions do not wait for each other.
  const ids = [...new Set(teamIds)].toSorted();
  const { teams, keys } = await inTransaction(db, async (tx) => {
    const found: StoredTeam[] = [];
    for (const id of ids) found.push(await lockForDeletion(tx, id));
    const deletedKeys = await deleteKeysOf(tx, actor, ids);
    await tx.team.deleteMany({ where: { id: { in: ids } } });
    for (const team of found) {
      if (team.loggingState !== "disabled") await noteDisable(tx, actor, team.id);
      const before = toTeamRow(team);
      await writeAudit(tx, actor, { action: "delete", objectType: "team", objectId: team.id, before });
    }
    return { teams: found, keys: deletedKeys };
  });
  for (const key of keys) forgetKey(key.token);
  for (const id of ids) forgetTeam(id);
  for (const id of ids) await applyLoggingState(db, id, "disabled");
  await announceCallbacks([...teams, ...keys].flatMap((owner) => owner.callbacks.map((callback) => callback.id)));
  return [...new Set(teamIds)];
}

/** The lock on the id keeps new keys of the team waiting as well. */
async function lockForDeletion(tx: Transaction, teamId: string): Promise<StoredTeam> {
  await lockTeamRowId(tx, teamId);
  const team = await lockTeam(tx, teamId);
  if (!team) throw teamNotFound(teamId);
  return team;
}

async function deleteKeysOf(tx: Transaction, actor: Actor, teamIds: string[]): Promise<StoredKey[]> {
  const keys = await tx.key.findMany({ where: { teamId: { in: teamIds } }, select: keyColumns });
  await tx.key.deleteMany({ where: { token: { in: keys.map((key) => key.token) } } });
  for (const key of keys) {
    await writeAudit(tx, actor, { action: "delete", objectType: "key", objectId: key.token, before: toKeyRow(key) });
  }
  return keys;
}
