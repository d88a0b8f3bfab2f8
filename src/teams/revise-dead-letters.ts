import { z } from "zod";
import type { Database } from "#lib/db.ts";
import { inTransaction } from "#lib/in-transaction.ts";
import type { Actor } from "#keys/actor.ts";
import { writeAudit } from "#logging/audit.ts";
import { deliveryState } from "#logging/delivery.ts";
import { deliveryTeams, toFilter, type DeadLetterSelection } from "#teams/delivery-selection.ts";

/** How many deliveries were replayed or discarded. */
export const RevisedDeadLetters = z.object({ count: z.number().int() });
export type RevisedDeadLetters = z.output<typeof RevisedDeadLetters>;

/**
 * Sends dead letters and waiting deliveries now, as if they had just been queued and with the ids that they always had.
 * Or discards dead letters with their content, for good. Only those of teams that the actor administers: throws 403 for
 * any other team.
 */
export async function reviseDeadLetters(
  db: Database["db"],
  actor: Actor,
  { action, selection }: { action: "replay" | "discard"; selection: DeadLetterSelection },
): Promise<RevisedDeadLetters> {
  const { team_id: teamId, all: _all, ...rest } = selection;
  const filter = { ...toFilter(rest), ...(await deliveryTeams(db, actor, { teamId, to: "change" })) };
  const count = await deliveryState.get().revise({ filter, action, nowMs: Date.now() });
  const after = { count, ...selection };
  await inTransaction(db, (tx) =>
    writeAudit(tx, actor, {
      action: action === "replay" ? "replay_deliveries" : "discard_deliveries",
      objectType: "delivery",
      objectId: teamId ?? "all",
      after,
    }),
  );
  return { count };
}
