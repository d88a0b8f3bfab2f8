import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** A migration as it stands in a folder of `prisma/migrations`. */
export type Migration = {
  name: string;
  sql: string;
  checksum: string;
  /** The indexes that it builds, if it does nothing else: they are built concurrently, outside of a transaction. */
  indexes: readonly IndexBuild[] | null;
};

/** An index and the statement that builds it while the table is in use. */
export type IndexBuild = { name: string; sql: string };

/** The end of a migration's name if builds that do not know it must not run on the database any more. */
const incompatibleEnd = "_incompatible";

const createIndex = /^CREATE (UNIQUE )?INDEX (?:CONCURRENTLY )?(?:IF NOT EXISTS )?("[^"]+") ([\s\S]+)$/i;

/** Whether a migration that this build does not know makes the database unusable for it. The name alone decides. */
export function isIncompatible(migrationName: string): boolean {
  return migrationName.endsWith(incompatibleEnd);
}

/** Reads all migrations of a folder, in the order in which they apply. */
export function readMigrations(directory: string): Migration[] {
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort()
    .map((name) => {
      const sql = readFileSync(join(directory, name, "migration.sql"), "utf8");
      return { name, sql, checksum: createHash("sha256").update(sql).digest("hex"), indexes: readIndexes(sql) };
    });
}

/** The indexes that a migration builds; null if it has any other statement. */
function readIndexes(sql: string): IndexBuild[] | null {
  const statements = sql
    .replaceAll(/^\s*--.*$/gm, "")
    .split(";")
    .map((statement) => statement.trim())
    .filter((statement) => statement !== "");
  const builds = statements.flatMap((statement) => {
    const [, unique = "", name = "", rest = ""] = createIndex.exec(statement) ?? [];
    return name === "" ? [] : [{ name, sql: `CREATE ${unique}INDEX CONCURRENTLY ${name} ${rest}` }];
  });
  return builds.length > 0 && builds.length === statements.length ? builds : null;
}
