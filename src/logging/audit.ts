import { configState } from "#lib/config.ts";
import { newRecordId } from "#lib/id.ts";
import type { Transaction } from "#lib/in-transaction.ts";
import type { Prisma } from "#lib/prisma/client.ts";
import { hideSecretHints } from "#logging/secret-hint.ts";

/** Whom an entry names: who wrote, and whom the `litellm-changed-by` header named. */
export type AuditActor = { userId: string | null; changedBy: string | null };

/** What can be done to what. */
export const auditActions = [
  "create",
  "update",
  "delete",
  "block",
  "unblock",
  "add_callback",
  "update_callback",
  "delete_callback",
  "disable_logging",
  "add_members",
  "update_member",
  "delete_member",
  "regenerate",
  "reset_spend",
  "replay_deliveries",
  "discard_deliveries",
  "backfill_deliveries",
] as const;
export const auditObjectTypes = ["team", "key", "user", "delivery"] as const;

/** One change. `before` and `after` are rows as answers show them; of what those show of secrets, no entry keeps a trace. */
export type AuditedChange = {
  action: (typeof auditActions)[number];
  objectType: (typeof auditObjectTypes)[number];
  objectId: string;
  before?: Prisma.InputJsonObject;
  after?: Prisma.InputJsonObject;
};

/** Writes the audit entry of a change in the change's own transaction, unless `store_audit_logs` is off. */
export async function writeAudit(tx: Transaction, actor: AuditActor, audited: AuditedChange): Promise<void> {
  if (!configState.get().litellm_settings.store_audit_logs) return;
  const { before, after, ...change } = audited;
  await tx.auditEntry.create({
    data: {
      ...change,
      id: newRecordId(),
      actor: actor.userId ?? "unknown",
      changedBy: actor.changedBy,
      ...(before === undefined ? {} : { before: hideSecretHints(before) }),
      ...(after === undefined ? {} : { after: hideSecretHints(after) }),
    },
    select: { id: true },
  });
}
