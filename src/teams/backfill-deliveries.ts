import { z } from "zod";
import { configState } from "#lib/config.ts";
import type { Database, Db } from "#lib/db.ts";
import { AppError } from "#lib/errors.ts";
import { inTransaction } from "#lib/in-transaction.ts";
import type { Actor } from "#keys/actor.ts";
import { assertMayManageTeam, isProxyAdmin, mayManageTeam } from "#keys/rights.ts";
import { writeAudit } from "#logging/audit.ts";
import { deliveryState } from "#logging/delivery.ts";
import { findConfiguredCallback } from "#logging/find-configured-callback.ts";

/** Which destination is to get what it never had, and of how many hours. */
export const BackfillDeliveries = z.strictObject({
  team_id: z
    .string()
    .min(1)
    .max(512)
    .optional()
    .describe(
      "The team that the destination, or its key, belongs to. For a global destination of config.yaml the team whose " +
        "logs it is to get; absent: logs of no team.",
    ),
  callback_id: z
    .string()
    .min(1)
    .max(512)
    .describe("A destination of a team or of a key; from proxy administrators also one of config.yaml."),
  hours: z
    .number()
    .positive()
    .max(100_000)
    .describe("Calls that began so long ago at most; of older ones than `retention.content_hours` nothing is kept."),
  dry_run: z.boolean().optional().describe("True: nothing is sent, it is only counted."),
  cursor: z
    .string()
    .regex(/^\d{1,15}$/)
    .optional()
    .describe("The `next_cursor` of the answer before."),
});
export type BackfillDeliveries = z.output<typeof BackfillDeliveries>;

/** What became of a part of a backfill. */
export const BackfilledDeliveries = z.object({
  count: z.number().int().describe("Logs that were queued for the destination; in a dry run, that would be."),
  skipped: z.number().int().describe("Kept logs that are not the destination's to get, as the policy is now."),
  from: z.string().describe("Since when calls were looked at."),
  next_cursor: z.string().nullable().describe("Not null: there are more. Send the same again with this `cursor`."),
});
export type BackfilledDeliveries = z.output<typeof BackfilledDeliveries>;

const hourMs = 3_600_000;

/** For how many hours the content of a delivered log can be sent elsewhere; 0: nothing is kept. */
export function retainedHours(): number {
  const { content_hours: hours, deliveries_days: days } = configState.get().retention;
  // A delivery that is forgotten has no content, and must not be made again.
  return Math.min(hours, days * 24);
}

/**
 * Queues kept logs of a team for one of its destinations, or those of a key for the key's, that it never had: as it
 * would get them were the calls made now, and no less redacted than they were kept. Proxy administrators may do it for
 * those of config.yaml. Works for about a second at most, and the answer says where to go on. Doing it again, or twice at
 * once, queues nothing twice. Throws 403 for a team that is not the actor's to administer, 404 for any other destination
 * that is not his, and 400 where nothing is kept.
 */
export async function backfillDeliveries(
  db: Database["db"],
  actor: Actor,
  request: BackfillDeliveries,
): Promise<BackfilledDeliveries> {
  const { callback_id: callbackId, hours, dry_run: isDryRun = false, cursor } = request;
  const { teamId, ...whose } = await findOwner(db, actor, request);
  const keptHours = retainedHours();
  if (keptHours === 0) {
    const message = "No content is kept once it is delivered. Fix: set retention.content_hours in config.yaml.";
    throw new AppError("bad_request", message, { param: "hours" });
  }
  const createdFromMs = Date.now() - Math.min(hours, keptHours) * hourMs;
  const before = cursor === undefined ? null : Number(cursor);
  const result = await deliveryState.get().backfill({ teamId, ...whose, callbackId, createdFromMs, before, isDryRun });
  const from = new Date(createdFromMs).toISOString();
  if (!isDryRun) {
    const after = { callback_id: callbackId, from, count: result.queued, skipped: result.skipped };
    await inTransaction(db, (tx) =>
      writeAudit(tx, actor, {
        ...{ action: "backfill_deliveries", objectType: "delivery", objectId: teamId ?? callbackId, after },
      }),
    );
  }
  const next_cursor = result.next === null ? null : String(result.next);
  return { count: result.queued, skipped: result.skipped, from, next_cursor };
}

/**
 * The team whose logs a callback is to get: its own one, of a global callback the one that is named. Of a key's callback
 * also the hashes that the key has and had.
 */
async function findOwner(
  db: Db,
  actor: Actor,
  { team_id: named, callback_id: id }: BackfillDeliveries,
): Promise<{ teamId: string | null; keyHashes?: readonly string[] }> {
  if (named !== undefined) await assertMayManageTeam(db, actor, { teamId: named });
  const configured = isProxyAdmin(actor) ? findConfiguredCallback(id, configState.get()) : null;
  if (configured !== null) {
    if (configured.teamId === null) return { teamId: named ?? null };
    if (named === undefined || named === configured.teamId) return configured;
  }
  const key = { select: { token: true, teamId: true } } as const;
  const callback = await db.callback.findUnique({ where: { id }, select: { teamId: true, key } });
  const teamId = callback?.teamId ?? callback?.key?.teamId ?? null;
  const isNamed = named === undefined || named === teamId;
  const mayChange = teamId === null ? isProxyAdmin(actor) : await mayManageTeam(db, actor, teamId);
  if (!callback || !isNamed || !mayChange) {
    throw new AppError("not_found", "There is no destination with this id.", { param: "callback_id" });
  }
  if (!callback.key) return { teamId };
  const former = await db.formerToken.findMany({ where: { keyToken: callback.key.token }, select: { token: true } });
  return { teamId, keyHashes: [callback.key.token, ...former.map(({ token }) => token)] };
}
