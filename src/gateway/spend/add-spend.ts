import type { Spent } from "#gateway/spend/spent.ts";
import type { Database } from "#lib/db.ts";
import { inTransaction, type Transaction } from "#lib/in-transaction.ts";

/** How long a batch's id is remembered; its file is gone within seconds. */
const rememberedMs = 7 * 86_400_000;

/** Adds a batch of spend to keys, teams, members and users: once, and all of it or nothing. */
export async function addSpend(db: Database["db"], batchId: string, spent: readonly Spent[]): Promise<void> {
  await inTransaction(db, async (tx) => {
    const { count } = await tx.spendBatch.createMany({ data: [{ id: batchId }], skipDuplicates: true });
    if (count === 0) return;
    // Always in the same order, so that two gateways never wait for each other.
    for (const [token, usd] of totals(spent, ({ key }) => key)) await addToKey(tx, token, usd);
    for (const [id, usd] of totals(spent, ({ team }) => team)) {
      await tx.team.updateMany({ where: { id }, data: { spend: { increment: usd } } });
    }
    for (const [id, usd] of totals(spent, ({ user }) => user)) {
      await tx.user.updateMany({ where: { id }, data: { spend: { increment: usd } } });
    }
    for (const [name, usd] of totals(spent, toMember)) {
      const [teamId = "", userId = ""] = name.split("\0");
      await tx.teamMember.updateMany({ where: { teamId, userId }, data: { spend: { increment: usd } } });
    }
    for (const [name, usd] of totalsOfModels(spent)) await addToModel(tx, name, usd);
    const settled = spent.flatMap(({ reservation }) => reservation ?? []);
    if (settled.length > 0) await tx.spendReservation.deleteMany({ where: { id: { in: settled } } });
    await tx.spendReservation.deleteMany({ where: { expiresAt: { lt: new Date() } } });
    await tx.spendBatch.deleteMany({ where: { appliedAt: { lt: new Date(Date.now() - rememberedMs) } } });
  });
}

/** A key that was regenerated meanwhile is found by the hash that it had. */
async function addToKey(tx: Transaction, token: string, usd: number): Promise<void> {
  const data = { spend: { increment: usd } };
  const { count } = await tx.key.updateMany({ where: { token }, data });
  if (count > 0) return;
  const former = await tx.formerToken.findUnique({ where: { token }, select: { keyToken: true } });
  if (former) await tx.key.updateMany({ where: { token: former.keyToken }, data });
}

/** What a model cost somebody with a budget for it; the row was made when the call began. */
async function addToModel(tx: Transaction, name: string, usd: number): Promise<void> {
  const [scope = "", ownerId = "", model = ""] = name.split("\0");
  const data = { spend: { increment: usd } };
  const { count } = await tx.modelSpend.updateMany({ where: { scope, ownerId, model }, data });
  if (count > 0 || scope !== "key") return;
  const former = await tx.formerToken.findUnique({ where: { token: ownerId }, select: { keyToken: true } });
  if (former) await tx.modelSpend.updateMany({ where: { scope, ownerId: former.keyToken, model }, data });
}

function totalsOfModels(spent: readonly Spent[]): [string, number][] {
  const parts = spent.flatMap((one) => one.models.map((each) => ({ ...one, each })));
  return totals(parts, ({ each: { scope, id, model } }) => [scope, id, model].join("\0"));
}

function toMember({ team, user }: Spent): string | null {
  return team === null || user === null ? null : `${team}\0${user}`;
}

/** The sum of each owner, sorted by owner. */
function totals<One extends Spent>(spent: readonly One[], ownerOf: (one: One) => string | null): [string, number][] {
  const sums = new Map<string, number>();
  for (const one of spent) {
    const owner = ownerOf(one);
    if (owner !== null) sums.set(owner, (sums.get(owner) ?? 0) + one.usd);
  }
  return [...sums].toSorted(([left], [right]) => (left < right ? -1 : 1));
}
