import { z } from "zod";
import type { Db } from "#lib/db.ts";
import type { LoggingStatement } from "#logging/policy.ts";
import { RedactionLevel } from "#logging/redaction-level.ts";
import { callbackColumns, toCallbackTarget, type StoredCallback } from "#logging/stored-callback.ts";

/** The columns of a key or team that make its statement. */
export const statementColumns = {
  loggingState: true,
  redaction: true,
  callbacks: { select: callbackColumns, orderBy: { position: "asc" } },
} as const;

const teamColumns = { ...statementColumns, mustLog: true } as const;
const keyColumns = { ...statementColumns, metadata: true } as const;

type StatedRow = { loggingState: LoggingStatement["state"]; callbacks: readonly unknown[] };

/** A write every time would be no chance any more. */
const readsMax = 4;

/**
 * Reads a row again if its callbacks are of another moment than its state. They are read one after the other, and if the
 * last callback is removed in between, the row has callbacks of its own but none: its calls would be logged nowhere.
 */
export async function readWhole<Row extends StatedRow & { team?: StatedRow | null }>(
  read: () => Promise<Row | null>,
): Promise<Row | null> {
  let row = await read();
  for (let reads = 1; row !== null && reads < readsMax && (isTorn(row) || isTorn(row.team ?? null)); reads += 1) {
    row = await read();
  }
  return row;
}

function isTorn(row: StatedRow | null): boolean {
  return row !== null && row.loggingState === "own" && row.callbacks.length === 0;
}

/** What a key or team row says about its logs; callbacks that cannot be used are left out one by one. */
export function toStatement(row: {
  loggingState: LoggingStatement["state"];
  redaction: string | null;
  callbacks: readonly StoredCallback[];
  mustLog?: boolean;
}): LoggingStatement {
  return {
    state: row.loggingState,
    callbacks: row.callbacks.flatMap((callback) => toCallbackTarget(callback) ?? []),
    redaction: RedactionLevel.nullable().catch(null).parse(row.redaction),
    ...(row.mustLog === true ? { mustLog: true } : {}),
  };
}

/**
 * Reads the statement of a key or of a team; null where there is no such row. A hash that the key had before it was
 * regenerated names it too: records of that time may still wait.
 */
export async function readStatement(
  db: Db,
  whose: { keyHash: string } | { teamId: string },
): Promise<LoggingStatement | null> {
  const row =
    "keyHash" in whose
      ? await findKeyRow(db, whose.keyHash)
      : await readWhole(() => db.team.findUnique({ where: { id: whose.teamId }, select: teamColumns }));
  return row && toStatement(row);
}

/** What steers a key's logs now: its statement, and the callbacks that it does not want, by name in lower case. */
export async function readKeySteering(
  db: Db,
  keyHash: string,
): Promise<{ statement: LoggingStatement; disabledCallbacks: readonly string[] } | null> {
  const row = await findKeyRow(db, keyHash);
  if (row === null) return null;
  const names = Metadata.parse(row.metadata).litellm_disabled_callbacks;
  return { statement: toStatement(row), disabledCallbacks: names.map((name) => name.toLowerCase()) };
}

const Metadata = z
  .object({ litellm_disabled_callbacks: z.array(z.string()).catch([]) })
  .catch({ litellm_disabled_callbacks: [] });

async function findKeyRow(db: Db, token: string) {
  const key = await readWhole(() => db.key.findUnique({ where: { token }, select: keyColumns }));
  if (key) return key;
  const former = await db.formerToken.findUnique({ where: { token }, select: { key: { select: keyColumns } } });
  return former?.key ?? null;
}
