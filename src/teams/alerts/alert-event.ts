import { z } from "zod";

/** What is told of a destination. */
export const alertKinds = [
  "destination_failing",
  "destination_paused",
  "destination_recovered",
  "dead_letters",
] as const;
export type AlertKind = (typeof alertKinds)[number];

/**
 * One event, as a webhook receives it. It names the destination and the team and says what kind of answer there was;
 * nothing of a call is in it, no credential, and none of the destination's words, which may quote either.
 */
export const AlertEvent = z.object({
  /** The same one however often it comes. */
  id: z.string(),
  event: z.enum(alertKinds),
  event_group: z.literal("callback"),
  event_message: z.string(),
  occurred_at: z.string(),
  callback_id: z.string(),
  callback_name: z.string(),
  /** Null where the operator's config.yaml has the callback. */
  team_id: z.string().nullable(),
  team_alias: z.string().nullable(),
  /** The HTTP status of the destination's last refusal; null where it did not answer, or nothing was refused. */
  status: z.number().int().nullable(),
  /** How many records became dead letters since this was last told. */
  dead_letters: z.number().int(),
});
export type AlertEvent = z.output<typeof AlertEvent>;

/** What an event's message is made of. */
export type AlertFacts = Omit<AlertEvent, "id" | "event_group" | "event_message" | "occurred_at">;

/** One sentence for people. */
export function toAlertMessage(facts: AlertFacts): string {
  const team = facts.team_alias ?? facts.team_id;
  const name = `${facts.callback_name} (${facts.callback_id})${team === null ? "" : ` of team ${team}`}`;
  const status = facts.status === null ? "does not answer" : `answers ${String(facts.status)}`;
  switch (facts.event) {
    case "destination_failing":
      return `The log destination ${name} ${status}. Logs wait and are tried again.`;
    case "destination_paused":
      return `The log destination ${name} refuses its credentials (${String(facts.status)}). Logs wait until they are corrected.`;
    case "destination_recovered":
      return `The log destination ${name} takes logs again. What waited is being sent.`;
    case "dead_letters":
      return `${String(facts.dead_letters)} logs for ${name} could not be delivered and are dead letters now. They can be replayed or discarded.`;
  }
}
