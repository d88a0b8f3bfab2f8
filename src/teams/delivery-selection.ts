import { z } from "zod";
import type { Db } from "#lib/db.ts";
import type { Actor } from "#keys/actor.ts";
import { assertMayInspectTeam, assertMayManageTeam, isProxyAdmin, readsEverything, teamIdsOf } from "#keys/rights.ts";
import type { DeliveryFilter } from "#logging/queue/queue.ts";

/** Kinds of a destination's answer, as ranges of its HTTP status; 0 stands for no answer. */
const errorClasses = {
  no_answer: [{ from: 0, to: 0 }],
  refused_credentials: [
    { from: 401, to: 401 },
    { from: 403, to: 403 },
  ],
  not_found: [{ from: 404, to: 404 }],
  too_large: [{ from: 413, to: 413 }],
  rate_limited: [{ from: 429, to: 429 }],
  refused_record: [
    { from: 400, to: 400 },
    { from: 402, to: 402 },
    { from: 405, to: 412 },
    { from: 414, to: 428 },
    { from: 430, to: 499 },
  ],
  destination_failed: [{ from: 500, to: 599 }],
} as const;

const ErrorClass = z
  .enum([
    ...["no_answer", "refused_credentials", "not_found", "too_large", "rate_limited"],
    ...["refused_record", "destination_failed"],
  ] as const)
  .describe("What the destination answered: nothing, 401 or 403, 404, 413, 429, another 4xx, or 5xx.");

const moment = z.iso.datetime({ offset: true });
const id = z.string().min(1).max(512);

/** What deliveries are selected by; those are meant that fit everything that is given. */
export const selectionShape = {
  team_id: id.optional().describe("Whose calls. Absent: all teams that the caller administers."),
  callback_id: id.optional(),
  error_class: ErrorClass.optional(),
  from: moment.optional().describe("Calls that began at this time or later."),
  to: moment.optional().describe("Calls that began before this time."),
};

/** Deliveries to replay, or dead letters to discard. */
export const DeadLetterSelection = z
  .strictObject({
    ...selectionShape,
    record_ids: z.array(id).min(1).max(1_000).optional(),
    all: z.literal(true).optional().describe("Everything that the rest lets through; needed if nothing else is given."),
  })
  .refine((selection) => Object.values(selection).some((value) => value !== undefined), {
    error: 'Name what is meant: record_ids, callback_id, error_class, from, to or team_id, or say "all": true.',
  });
export type DeadLetterSelection = z.output<typeof DeadLetterSelection>;

/** What of a selection does not depend on who asks. */
export function toFilter(selection: Omit<DeadLetterSelection, "all">): DeliveryFilter {
  const { callback_id: callbackId, record_ids: recordIds, error_class: errorClass, from, to } = selection;
  return {
    ...(callbackId === undefined ? {} : { callbackIds: [callbackId] }),
    ...(recordIds === undefined ? {} : { recordIds }),
    ...(errorClass === undefined ? {} : { statuses: errorClasses[errorClass] }),
    ...(from === undefined ? {} : { createdFromMs: Date.parse(from) }),
    ...(to === undefined ? {} : { createdBeforeMs: Date.parse(to) }),
  };
}

/**
 * The teams whose deliveries an actor may read or change: the named one, else all that he may. Throws 403 for a team that
 * is not his, be there such a team or not.
 */
export async function deliveryTeams(
  db: Db,
  actor: Actor,
  { teamId, to }: { teamId: string | undefined; to: "read" | "change" },
): Promise<Pick<DeliveryFilter, "teamIds">> {
  if (teamId !== undefined) {
    if (to === "read") await assertMayInspectTeam(db, actor, teamId);
    else await assertMayManageTeam(db, actor, { teamId });
    return { teamIds: [teamId] };
  }
  if (to === "read" ? readsEverything(actor) : isProxyAdmin(actor)) return {};
  return { teamIds: await teamIdsOf(db, actor, "admin") };
}
