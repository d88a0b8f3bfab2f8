// `node prisma/write-migration.mjs NAME` writes the SQL from the schema of the newest migration to schema.prisma, and
// keeps that schema beside it. Without a name it prints that SQL and exits with 1 if there is any.
// A NAME that ends in _incompatible keeps builds that do not know the migration from starting on the database. Indexes on
// tables that exist already go into a migration of their own: one that only builds indexes is built concurrently.
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { PrismaPg } from "@prisma/adapter-pg";
import { bindMigrationAwareSqlAdapterFactory } from "@prisma/driver-adapter-utils";
import * as engineGlue from "@prisma/schema-engine-wasm/schema_engine_bg";
import { startEmbeddedPostgres } from "#lib/embedded-postgres.ts";

const here = dirname(fileURLToPath(import.meta.url));
const name = process.argv[2];
const schema = readSchema(here);
const newest = readdirSync(join(here, "migrations"), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name)
  .sort()
  .at(-1);

const wasmPath = join(
  dirname(fileURLToPath(import.meta.resolve("@prisma/schema-engine-wasm"))),
  "schema_engine_bg.wasm",
);
const wasm = new WebAssembly.Module(readFileSync(wasmPath));
const instance = new WebAssembly.Instance(wasm, { "./schema_engine_bg.js": engineGlue });
engineGlue.__wbg_set_wasm(instance.exports);
instance.exports.__wbindgen_start();

// The engine insists on a live connection, though it compares two schema files.
const postgres = await startEmbeddedPostgres(null);
const connection = { host: postgres.socketDir, port: postgres.port, user: "postgres", database: "postgres" };
const adapter = bindMigrationAwareSqlAdapterFactory(new PrismaPg(connection));
const engine = await engineGlue.SchemaEngine.new({ datamodels: [["schema.prisma", schema]] }, () => undefined, adapter);
const { stdout } = await engine.diff({
  from: newest === undefined ? { tag: "empty" } : datamodel(readSchema(join(here, "migrations", newest))),
  to: datamodel(schema),
  script: true,
  exitCode: null,
  shadowDatabaseUrl: null,
  filters: { externalTables: [], externalEnums: [] },
});
await postgres.stop();
const sql = (stdout ?? "").replace("-- This is an empty migration.", "").trim();
if (sql === "") console.log("The migrations and schema.prisma agree.");
else if (name === undefined) console.log(sql);
else {
  const stamp = new Date().toISOString().replaceAll(/\D/g, "").slice(0, 14);
  const directory = join(here, "migrations", `${stamp}_${name}`);
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, "migration.sql"), `${sql}\n`);
  copyFileSync(join(here, "schema.prisma"), join(directory, "schema.prisma"));
  console.log(`Wrote ${directory}/migration.sql`);
}
process.exit(sql !== "" && name === undefined ? 1 : 0);

function readSchema(directory) {
  return readFileSync(join(directory, "schema.prisma"), "utf8");
}

function datamodel(content) {
  return { tag: "schemaDatamodel", files: [{ path: "schema.prisma", content }] };
}
