import { newRecordId } from "#lib/id.ts";
import type { Transaction } from "#lib/in-transaction.ts";
import type { Actor } from "#keys/actor.ts";

/** Keeps who switched a team's logging off and when, in the transaction that does it. It outlives the team. */
export async function noteDisable(tx: Transaction, actor: Actor, teamId: string): Promise<void> {
  const data = { id: newRecordId(), teamId, actor: actor.userId ?? "unknown", changedBy: actor.changedBy };
  await tx.loggingDisable.create({ data, select: { id: true } });
}

/** Keeps that a team's logging goes on, in the transaction that does it. */
export async function noteEnable(tx: Transaction, teamId: string): Promise<void> {
  await tx.loggingDisable.updateMany({ where: { teamId, enabledAt: null }, data: { enabledAt: new Date() } });
}
