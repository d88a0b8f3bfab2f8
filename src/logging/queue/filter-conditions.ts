import type { DeliveryFilter } from "#logging/queue/queue.ts";

/** How an engine writes values into a statement: each returns what stands for them, and keeps them. */
export type FilterWriter = {
  value(value: number): string;
  /** A condition that a column has one of the values. */
  oneOf(column: string, values: readonly string[]): string;
};

const stateNumbers = { pending: 0, delivered: 1, dead: 2, suppressed: 3 } as const;

/** The conditions of a filter in SQL, on columns that both engines have under the same names; values come in their order. */
export function filterConditions(filter: DeliveryFilter, { value, oneOf }: FilterWriter): string[] {
  const { recordIds, callbackIds, teamIds, states, createdFromMs, createdBeforeMs, statuses } = filter;
  const numbers = states?.map((state) => String(stateNumbers[state]));
  const statusRange = ({ from, to }: { from: number; to: number }): string =>
    `status BETWEEN ${value(from)} AND ${value(to)}`;
  return [
    ...(recordIds ? [oneOf("record_id", recordIds)] : []),
    ...(callbackIds ? [oneOf("callback_id", callbackIds)] : []),
    ...(teamIds ? [oneOf("team_id", teamIds)] : []),
    ...(numbers ? [numbers.length === 0 ? "1 = 0" : oneOfStates(numbers)] : []),
    ...(createdFromMs === undefined ? [] : [`created_at_ms >= ${value(createdFromMs)}`]),
    ...(createdBeforeMs === undefined ? [] : [`created_at_ms < ${value(createdBeforeMs)}`]),
    ...(statuses ? [statuses.length === 0 ? "1 = 0" : `(${statuses.map(statusRange).join(" OR ")})`] : []),
  ];
}

/** A single state is compared, because that is how partial indexes know their rows. */
function oneOfStates(numbers: readonly string[]): string {
  return numbers.length === 1 ? `state = ${numbers.join()}` : `state IN (${numbers.join(", ")})`;
}

/** Whether a pending delivery waits: for a later time, or after a try. One that was replayed and not tried since does not. */
export function waitingCondition(now: string): string {
  return `(due_at_ms > ${now} OR (status IS NOT NULL AND due_at_ms <> coalesce(age_from_ms, created_at_ms)))`;
}
