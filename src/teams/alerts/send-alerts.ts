import { z } from "zod";
import type { Database } from "#lib/db.ts";
import { inTransaction } from "#lib/in-transaction.ts";
import { currentLogger } from "#lib/logger.ts";
import { sendAlert, type AlertChannels } from "#teams/alerts/alert-channels.ts";
import { AlertEvent } from "#teams/alerts/alert-event.ts";

/** A gateway that died while it was sending holds up a message for so long. */
const holdMs = 60_000;
const retryMsMin = 5_000;
const retryMsMax = 3_600_000;
/** What nobody took in a day is no news any more. */
const keptMs = 86_400_000;
const batchMessages = 20;

const TakenMessage = z.object({
  id: z.string(),
  channel: z.enum(["webhook", "slack", "email"]),
  receiver: z.string(),
  event: AlertEvent,
  tries: z.number().int(),
  createdAt: z.date(),
});
type TakenMessage = z.output<typeof TakenMessage>;

const Rows = z.array(z.looseObject({ id: z.string(), createdAt: z.date() }));

/**
 * Sends the messages that are due, each by one gateway alone. One that is not taken is tried again with growing pauses
 * for a day. Where a gateway dies after sending and before it is noted, a message comes twice with the same id.
 */
export async function sendAlerts(db: Database["db"], channels: AlertChannels, now = new Date()): Promise<void> {
  for (const message of await takeDue(db, now)) {
    const { id, channel, receiver, event, tries, createdAt } = message;
    try {
      await sendAlert(channels, { channel, to: receiver, event });
      await db.alertMessage.deleteMany({ where: { id } });
    } catch (error) {
      const isOld = now.getTime() - createdAt.getTime() >= keptMs;
      // The error's own words may hold an address with a secret in it.
      const reason = error instanceof Error ? error.name : "unknown";
      currentLogger().warn({ channel, event: event.event, reason, tries, isOld }, "an alert was not taken");
      if (isOld) await db.alertMessage.deleteMany({ where: { id } });
      else {
        const dueAt = new Date(now.getTime() + Math.min(retryMsMax, retryMsMin * 2 ** Math.min(tries, 20)));
        await db.alertMessage.updateMany({ where: { id }, data: { tries: tries + 1, dueAt } });
      }
    }
  }
}

/** Messages that no other gateway is sending. */
async function takeDue(db: Database["db"], now: Date): Promise<TakenMessage[]> {
  return inTransaction(db, async (tx) => {
    const found = await tx.$queryRaw`
      SELECT id, channel, receiver, event, tries, "createdAt" FROM "AlertMessage" WHERE "dueAt" <= ${now}
        ORDER BY "dueAt" LIMIT ${batchMessages} FOR UPDATE SKIP LOCKED`;
    const rows = Rows.parse(found);
    const dueAt = new Date(now.getTime() + holdMs);
    await tx.alertMessage.updateMany({ where: { id: { in: rows.map(({ id }) => id) } }, data: { dueAt } });
    const parsed = rows.map((row) => ({ row, message: TakenMessage.safeParse(row).data }));
    const unread = parsed.flatMap(({ row, message }) => (message === undefined ? [row] : []));
    if (unread.length > 0) {
      // Another version may know what they say. They keep no other message back, and go when they are old.
      currentLogger().error({ messages: unread.map(({ id }) => id) }, "alerts cannot be read");
      const old = unread.filter(({ createdAt }) => now.getTime() - createdAt.getTime() >= keptMs);
      await tx.alertMessage.deleteMany({ where: { id: { in: old.map(({ id }) => id) } } });
    }
    return parsed.flatMap(({ message }) => message ?? []);
  });
}
