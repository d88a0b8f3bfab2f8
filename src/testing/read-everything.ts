import type { Database } from "#lib/db.ts";

/** Every row of every table as one text, so that a test can say what is nowhere in it. */
export async function readEverything(db: Database["db"]): Promise<string> {
  const tables = [
    db.user.findMany(),
    db.team.findMany(),
    db.teamMember.findMany(),
    db.key.findMany(),
    db.callback.findMany(),
    db.auditEntry.findMany(),
  ];
  const rows: unknown[] = [];
  for (const table of tables) rows.push(await table);
  return JSON.stringify(rows, (_name, value: unknown) => (typeof value === "bigint" ? value.toString() : value));
}
