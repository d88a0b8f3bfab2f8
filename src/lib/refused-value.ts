/** Data exceptions, and rows or keys that are larger than the database's limits. */
const valueFaults = /^(22|54)/;
/** With these, also constraints: another row would be stored. */
const rowFaults = /^(22|23|54)/;

/**
 * True if the database refused a value: a text, number or date that it cannot hold. The same statement fails every time,
 * whatever the state of the database.
 */
export function isRefusedValue(error: unknown): boolean {
  return hasState(error, valueFaults) || isRefusedByClient(error);
}

/** True if the database refused a row for what is in it, so that other rows of the same batch may be stored. */
export function isRefusedRow(error: unknown): boolean {
  return hasState(error, rowFaults) || isRefusedByClient(error);
}

/** Prisma refuses some values before it asks, and JavaScript cannot make a bigint of every number. */
function isRefusedByClient(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  // A stack that is too deep is a fault of ours.
  return (
    error.name === "PrismaClientValidationError" ||
    (error instanceof RangeError && !error.message.includes("call stack"))
  );
}

/** Looks for an SQLSTATE: the driver has it as `code`, Prisma under `meta`. */
function hasState(error: unknown, states: RegExp): boolean {
  if (typeof error !== "object" || error === null) return false;
  for (const name of ["code", "originalCode"]) {
    const code: unknown = Reflect.get(error, name);
    if (typeof code === "string" && code.length === 5 && states.test(code)) return true;
  }
  return ["cause", "meta", "driverAdapterError"].some((name) => hasState(Reflect.get(error, name), states));
}

/** A row that was refused, and why. */
export type RefusedRow<Row> = { row: Row; error: unknown };

/**
 * Stores rows together. If one of them is refused, stores the halves, so that it keeps no other row out, and returns it.
 * Throws for any other failure, with the rows that are not stored yet in `left`.
 */
export async function storeEach<Row>(
  rows: readonly Row[],
  store: (rows: readonly Row[]) => Promise<unknown>,
): Promise<RefusedRow<Row>[]> {
  const waiting: (readonly Row[])[] = [rows];
  const refused: RefusedRow<Row>[] = [];
  for (let part = waiting.pop(); part !== undefined; part = waiting.pop()) {
    if (part.length === 0) continue;
    try {
      await store(part);
    } catch (error) {
      if (!isRefusedRow(error)) throw new NotStored(error, [part, ...waiting].flat(), refused);
      const [row, another] = part;
      if (row !== undefined && another === undefined) refused.push({ row, error });
      else waiting.push(part.slice(Math.ceil(part.length / 2)), part.slice(0, Math.ceil(part.length / 2)));
    }
  }
  return refused;
}

/** The database could not store rows now. `left` are those that are not stored, `refused` those that never will be. */
export class NotStored<Row> extends Error {
  readonly left: readonly Row[];
  readonly refused: readonly RefusedRow<Row>[];

  constructor(cause: unknown, left: readonly Row[], refused: readonly RefusedRow<Row>[]) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.name = "NotStored";
    this.left = left;
    this.refused = refused;
  }
}
