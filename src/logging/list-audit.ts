import { z } from "zod";
import type { Db } from "#lib/db.ts";
import { readAudit } from "#logging/read-audit.ts";

/** Which audit entries to list; absent filters let everything pass. Pages count from 1. */
export type AuditFilter = {
  objectType: string | undefined;
  objectId: string | undefined;
  actor: string | undefined;
  action: string | undefined;
  page: number;
  pageSize: number;
};

/** A page of audit entries, in the names of LiteLLM's table. */
export const AuditPage = z.object({
  audit_logs: z.array(
    z.object({
      id: z.string(),
      updated_at: z.string(),
      actor: z.string(),
      changed_by: z.string(),
      action: z.string(),
      object_type: z.string(),
      object_id: z.string(),
      before_value: z.unknown().describe("The object before; secrets are masked."),
      updated_values: z.unknown().describe("The object after; secrets are masked."),
    }),
  ),
  total: z.number().int(),
  page: z.number().int(),
  page_size: z.number().int(),
  total_pages: z.number().int(),
});
export type AuditPage = z.output<typeof AuditPage>;

/** Lists who changed what, newest first. The rows before and after hold no secret: they were masked when written. */
export async function listAudit(db: Db, { page, pageSize, ...filter }: AuditFilter): Promise<AuditPage> {
  const given = Object.entries(filter).filter(([, value]) => value !== undefined);
  const where: { objectType?: string; objectId?: string; actor?: string; action?: string } = Object.fromEntries(given);
  const { rows, total } = await readAudit(db, where, { page, pageSize });
  const audit_logs = rows.map((row) => ({
    id: row.id,
    updated_at: row.createdAt.toISOString(),
    actor: row.actor,
    changed_by: row.changedBy ?? row.actor,
    action: row.action,
    object_type: row.objectType,
    object_id: row.objectId,
    before_value: row.before,
    updated_values: row.after,
  }));
  return { audit_logs, total, page, page_size: pageSize, total_pages: Math.ceil(total / pageSize) };
}
