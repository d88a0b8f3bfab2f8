import type { SQLOutputValue } from "node:sqlite";
import { deliveryStates, type DeliveryRow } from "#logging/queue/queue.ts";

/** One row as SQLite gives it. */
export type SqlRow = Record<string, SQLOutputValue>;

/** The file holds something that this process never wrote. */
export class DamagedQueue extends Error {
  constructor(what: string) {
    super(`The queue file is damaged: ${what}`);
  }
}

/** The integer of a column. Throws where the file holds something else. */
export function integerOf(row: SqlRow, column: string): number {
  const value = row[column];
  if (typeof value === "number") return value;
  throw new DamagedQueue(`"${column}" is no integer.`);
}

/** The text of a column. Throws where the file holds something else. */
export function textOf(row: SqlRow, column: string): string {
  const value = row[column];
  if (typeof value === "string") return value;
  throw new DamagedQueue(`"${column}" is no text.`);
}

/** As `integerOf`, and null for null. */
export function integerOrNull(row: SqlRow, column: string): number | null {
  return row[column] === null ? null : integerOf(row, column);
}

/** As `textOf`, and null for null. */
export function textOrNull(row: SqlRow, column: string): string | null {
  return row[column] === null ? null : textOf(row, column);
}

/** The contract's delivery of a row of `delivery` joined with its `callback_id`. */
export function toDeliveryRow(row: SqlRow): DeliveryRow {
  const state = deliveryStates[integerOf(row, "state")];
  if (state === undefined) throw new DamagedQueue('"state" is out of range.');
  const recordId = textOf(row, "record_id");
  return {
    recordId,
    callId: textOrNull(row, "call_id") ?? recordId,
    callbackId: textOf(row, "callback_id"),
    teamId: textOrNull(row, "team_id"),
    keyHash: textOrNull(row, "key_hash"),
    state,
    tries: integerOf(row, "tries"),
    createdAtMs: integerOf(row, "created_at_ms"),
    dueAtMs: integerOf(row, "due_at_ms"),
    settledAtMs: integerOrNull(row, "settled_at_ms"),
    status: integerOrNull(row, "status"),
    message: textOrNull(row, "message"),
  };
}
