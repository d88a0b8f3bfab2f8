import type { Db } from "#lib/db.ts";
import type { Prisma } from "#lib/prisma/client.ts";

const columns = {
  id: true,
  createdAt: true,
  actor: true,
  changedBy: true,
  action: true,
  objectType: true,
  objectId: true,
  before: true,
  after: true,
} as const satisfies Prisma.AuditEntrySelect;

/** One change as it is stored; the rows before and after were masked when they were written. */
export type StoredChange = Prisma.AuditEntryGetPayload<{ select: typeof columns }>;

/** Reads a page of the changes that fit, the newest first, and how many there are in all. Pages count from 1. */
export async function readAudit(
  db: Db,
  where: Prisma.AuditEntryWhereInput,
  { page, pageSize }: { page: number; pageSize: number },
): Promise<{ rows: StoredChange[]; total: number }> {
  const total = await db.auditEntry.count({ where });
  const rows = await db.auditEntry.findMany({
    where,
    orderBy: [{ createdAt: "desc" }, { id: "desc" }],
    skip: (page - 1) * pageSize,
    take: pageSize,
    select: columns,
  });
  return { rows, total };
}
