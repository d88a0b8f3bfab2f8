import type { Db } from "#lib/db.ts";
import type { Prisma } from "#lib/prisma/client.ts";
import { readAudit } from "#logging/read-audit.ts";
import { nameAudited } from "#teams/name-audited.ts";

/** One change as the portal shows it. What changed is given as the rows before and after, secrets masked. */
export type ShownChange = {
  id: string;
  at: string;
  actor: string;
  /** Whom the `litellm-changed-by` header named; null: nobody. */
  changed_by: string | null;
  /** An address or a name; null for who is gone. */
  actor_name: string | null;
  action: string;
  object_type: string;
  object_id: string;
  /** An address or an alias; null for what is gone or has none. */
  object_name: string | null;
  before: unknown;
  after: unknown;
};

/** A page of changes, 50 at most, the newest first. */
export type ChangePage = { changes: ShownChange[]; total: number; pages: number };

const pageSize = 50;

/** Lists the changes that a condition lets pass. Whether the reader may see them is the caller's to ask. */
export async function listChanges(db: Db, where: Prisma.AuditEntryWhereInput, page: number): Promise<ChangePage> {
  const { rows, total } = await readAudit(db, where, { page, pageSize });
  const names = await nameAudited(db, rows);
  const changes = rows.map((row) => ({
    id: row.id,
    at: row.createdAt.toISOString(),
    actor: row.actor,
    changed_by: row.changedBy,
    actor_name: names.actorName(row),
    action: row.action,
    object_type: row.objectType,
    object_id: row.objectId,
    object_name: names.objectName(row),
    before: row.before,
    after: row.after,
  }));
  return { changes, total, pages: Math.max(1, Math.ceil(total / pageSize)) };
}
