import { randomBytes } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { makeKeyring } from "#lib/seal.ts";
import { setLogger } from "#lib/logger.ts";
import { openLocalQueue } from "#logging/queue/local.ts";
import { readReports } from "#logging/queue/local-reports.ts";
import type { QueueEntry } from "#logging/queue/queue.ts";

setLogger("silent");
const keyring = makeKeyring(["master key of the queue tests"]);
const count = 300;
const pageBytes = 8192;
let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice-damage-"));
  path = join(folder, "queue.sqlite");
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function makeEntries(prefix = "r"): QueueEntry[] {
  return Array.from({ length: count }, (_, index) => {
    const recordId = `${prefix}${String(index)}`;
    const contents = [{ body: `${recordId} ${"content ".repeat(100)}`, callbackIds: ["one", "two"] }];
    return { recordId, callId: recordId, teamId: `team ${String(index % 7)}`, keyHash: "k", createdAtMs: 1, contents };
  });
}

/** The files as a process leaves them that was stopped in order, or killed: with all of its log, or half of it. */
async function leave(how: "stopped" | "killed" | "killed late"): Promise<void> {
  const own = join(folder, "own");
  const queue = openLocalQueue({ path: join(own, "queue.sqlite"), keyring });
  const entries = makeEntries();
  await queue.append(entries.slice(0, count / 2));
  if (how === "killed late") await queue.expire({ deliveredBeforeMs: 0, deadBeforeMs: 0, contentBeforeMs: 0 });
  await queue.append(entries.slice(count / 2));
  if (how === "stopped") await queue.close();
  else
    await vi.waitFor(
      () => expect(readFileSync(join(own, "queue.sqlite.marker"), "utf8")).toContain('"pending":600'),
      5_000,
    );
  for (const file of readdirSync(own)) copyFileSync(join(own, file), join(folder, file));
  if (how !== "stopped") await queue.close();
}

/** The records whose content is handed out for a callback. */
async function claimed(callbackId = "one"): Promise<Set<string>> {
  const queue = openLocalQueue({ path, keyring });
  const request = { callbackId, limit: 10_000, bytesMax: 1e9, leaseMs: 1e15, nowMs: 2 };
  const deliveries = await queue.claim(request);
  for (const { recordId, body } of deliveries) expect(body).toMatch(new RegExp(`^${recordId} content`));
  // It takes new records, and hands them out too.
  await queue.append(makeEntries("new").slice(0, 3));
  expect(await queue.claim({ ...request, nowMs: Date.now() })).toHaveLength(3);
  await queue.close();
  return new Set(deliveries.map(({ recordId }) => recordId));
}

const asides = (): string[] => readdirSync(folder).filter((file) => /damaged-[\dTZ-]+$/.test(file));

function overwrite(page: number, bytes = pageBytes): void {
  const file = readFileSync(path);
  randomBytes(bytes).copy(file, page * pageBytes);
  writeFileSync(path, file);
}

/** The pages of a table or an index, its root first. */
function pagesOf(name: string): number[] {
  const file = new DatabaseSync(path, { readOnly: true });
  const rows = file.prepare("SELECT pageno FROM dbstat WHERE name = ? ORDER BY path").all(name);
  file.close();
  return rows.map(({ pageno }) => Number(pageno) - 1);
}

test("a sound file is opened as it is, whatever way its process ended", async () => {
  for (const how of ["stopped", "killed", "killed late"] as const) {
    await leave(how);
    expect((await claimed()).size).toBe(count);
    expect(asides()).toEqual([]);
    rmSync(folder, { recursive: true, force: true });
    folder = mkdtempSync(join(tmpdir(), "sluice-damage-"));
    path = join(folder, "queue.sqlite");
  }
});

describe("all is recovered, and the damaged file is kept beside,", () => {
  test("if the first page is overwritten", async () => {
    await leave("stopped");
    overwrite(0);
    expect((await claimed()).size).toBe(count);
    expect(asides()).toHaveLength(1);
  });

  test("if the file was emptied or removed and its log is there", async () => {
    await leave("killed");
    truncateSync(path, 0);
    expect((await claimed()).size).toBe(count);
    rmSync(folder, { recursive: true, force: true });
    folder = mkdtempSync(join(tmpdir(), "sluice-damage-"));
    path = join(folder, "queue.sqlite");
    await leave("killed");
    rmSync(path);
    expect((await claimed()).size).toBe(count);
    expect(asides()).toHaveLength(1);
  });

  test("if it was found damaged while it was used, although no check sees it", async () => {
    await leave("stopped");
    writeFileSync(`${path}.damage`, "damaged while it was used");
    expect((await claimed()).size).toBe(count);
    expect(asides()).toHaveLength(1);
  });
});

test("damage in an index alone is repaired in place", async () => {
  await leave("stopped");
  const file = new DatabaseSync(path, { defensive: false });
  file.exec("PRAGMA writable_schema = ON");
  const { sql } = file.prepare("SELECT sql FROM sqlite_schema WHERE name = 'delivery_pending'").get() ?? {};
  // The index says that it holds nothing, and so it is left out of what is written meanwhile.
  file
    .prepare("UPDATE sqlite_schema SET sql = replace(sql, 'state = 0', 'state = 9') WHERE name = 'delivery_pending'")
    .run();
  file.close();
  const other = new DatabaseSync(path, { defensive: false });
  other.exec("REINDEX delivery_pending; PRAGMA writable_schema = ON");
  other.prepare("UPDATE sqlite_schema SET sql = ? WHERE name = 'delivery_pending'").run(sql ?? null);
  other.close();
  expect((await claimed()).size).toBe(count);
  expect(asides()).toEqual([]);
});

describe("what can be read is recovered", () => {
  test("if any one page is overwritten, whole or in part, after a stop", async () => {
    await leave("stopped");
    const whole = readFileSync(path);
    const pages = whole.length / pageBytes;
    for (let page = 1; page < pages; page += 1) {
      writeFileSync(path, whole);
      const bytes = page % 2 === 0 ? pageBytes : 3_000;
      overwrite(page, bytes);
      const found = await claimed();
      // A page of the table holds some eighty deliveries, or the way to some of the contents.
      expect(found.size, `page ${String(page)}`).toBeGreaterThan(count / 2);
    }
  }, 60_000);

  test("if pages of each table and index are overwritten", async () => {
    await leave("stopped");
    const whole = readFileSync(path);
    for (const name of ["delivery_pending", "delivery_identity", "callback", "team_range"]) {
      writeFileSync(path, whole);
      for (const page of pagesOf(name)) overwrite(page);
      expect((await claimed()).size, name).toBe(count);
    }
    writeFileSync(path, whole);
    const [, ...leaves] = pagesOf("delivery");
    overwrite(leaves[1] ?? 0);
    const found = (await claimed()).size;
    expect(found).toBeGreaterThan(count / 2);
    expect(found).toBeLessThan(count);
  });

  test("if the roots of both tables are overwritten, and no deleted row comes back", async () => {
    await leave("stopped");
    const queue = openLocalQueue({ path, keyring });
    await queue.purge({ teamId: "team 3" });
    await queue.close();
    for (const table of ["delivery", "content"]) {
      const [root = 0, ...others] = pagesOf(table);
      expect(others.length).toBeGreaterThan(0);
      overwrite(root);
    }
    const found = await claimed();
    const others = makeEntries().filter(({ teamId }) => teamId !== "team 3");
    expect([...found].sort()).toEqual(others.map(({ recordId }) => recordId).sort());
  });

  test("if the file is cut to half, to a part of a page, or to little", async () => {
    await leave("killed late");
    const [whole, log] = [readFileSync(path), readFileSync(`${path}-wal`)];
    for (const [bytes, atLeast] of [
      [Math.floor(whole.length / 2), count / 2],
      [whole.length - 1234, count / 2],
      [pageBytes + 17, count / 4],
      [17, 0],
    ] as const) {
      writeFileSync(path, whole.subarray(0, bytes));
      writeFileSync(`${path}-wal`, log);
      expect((await claimed()).size, String(bytes)).toBeGreaterThanOrEqual(atLeast);
    }
  });

  test("if the log is cut, is noise, or is another file's", async () => {
    await leave("killed late");
    const [whole, log] = [readFileSync(path), readFileSync(`${path}-wal`)];
    const other = join(folder, "other");
    const foreign = openLocalQueue({ path: join(other, "queue.sqlite"), keyring });
    await foreign.append(makeEntries("x").slice(0, 5));
    const stale = readFileSync(join(other, "queue.sqlite-wal"));
    await foreign.close();
    for (const bytes of [log.subarray(0, log.length / 2), randomBytes(50_000), stale]) {
      writeFileSync(path, whole);
      writeFileSync(`${path}-wal`, bytes);
      expect((await claimed()).size).toBeGreaterThanOrEqual(bytes === stale ? 0 : count / 2);
    }
  });
});

test("a record whose content is gone counts as lost, and not as recovered", async () => {
  await leave("stopped");
  const file = new DatabaseSync(path);
  file.exec("DELETE FROM content WHERE content_id IN (SELECT content_id FROM content LIMIT 5)");
  file.close();
  writeFileSync(`${path}.damage`, "damaged while it was used");
  expect((await claimed()).size).toBe(count - 5);
  expect(readReports(path)).toMatchObject([{ recovered: 2 * (count - 5), lost: 2 * 5 }]);
});

test("a file of another program, and one that is no database, are moved aside unchanged", async () => {
  for (const foreign of ["no queue ".repeat(1_000), "sqlite"]) {
    if (foreign === "sqlite") {
      const file = new DatabaseSync(path);
      file.exec("CREATE TABLE notes (text TEXT); INSERT INTO notes VALUES ('mine')");
      file.close();
    } else writeFileSync(path, foreign);
    const before = readFileSync(path);
    expect((await claimed()).size).toBe(0);
    const [aside = ""] = asides();
    expect(readFileSync(join(folder, aside))).toEqual(before);
    rmSync(join(folder, aside));
    rmSync(path);
  }
});

test("a recovery that fails is repeated at the next start, and leaves nothing that looks complete", async () => {
  await leave("stopped");
  truncateSync(path, statSync(path).size - 3 * pageBytes);
  // Nothing can be copied to the name of a folder.
  mkdirSync(`${path}.copy`);
  expect(() => openLocalQueue({ path, keyring })).toThrow();
  expect(existsSync(`${path}.rescued`)).toBe(false);
  rmSync(`${path}.copy`, { recursive: true });
  expect((await claimed()).size).toBeGreaterThan(count / 2);
});

test("rows that an index no longer keeps apart are recovered once each", async () => {
  await leave("stopped");
  const editing = (sql: string): void => {
    const file = new DatabaseSync(path, { defensive: false });
    file.exec(`PRAGMA writable_schema = ON; ${sql}`);
    file.close();
  };
  editing(`CREATE TABLE kept AS SELECT * FROM sqlite_schema WHERE name = 'delivery_identity';
    DELETE FROM sqlite_schema WHERE name = 'delivery_identity'`);
  editing(`INSERT INTO delivery (record_id, callback, state, content_id, due_at_ms, tries, created_at_ms)
      SELECT record_id, callback, state, content_id, due_at_ms, tries, created_at_ms FROM delivery LIMIT 5;
    INSERT INTO sqlite_schema SELECT * FROM kept; DROP TABLE kept`);
  expect((await claimed()).size).toBe(count);
  expect(asides()).toHaveLength(1);
});

test("damage that is found while the file is used ends its use, and nothing is said to be committed", async () => {
  await leave("stopped");
  const reports: string[] = [];
  const queue = openLocalQueue({ path, keyring, onDamage: (error) => reports.push(error.message) });
  truncateSync(path, pageBytes);
  let committed = 0;
  const appends = makeEntries("later").map((entry) => queue.append([entry]).then(() => (committed += 1)));
  void queue.claim({ callbackId: "one", limit: 1_000, bytesMax: 1e9, leaseMs: 1, nowMs: 2 });
  void queue.expire({ deliveredBeforeMs: 9e15, deadBeforeMs: 9e15, contentBeforeMs: 0 });
  await vi.waitFor(() => expect(reports).toHaveLength(1), 5_000);
  void Promise.all(appends);
  expect(existsSync(`${path}.damage`)).toBe(true);
  const before = committed;
  await queue.close().catch(() => undefined);
  const after = openLocalQueue({ path, keyring });
  const counts = await after.find({ by: "counts", callbackIds: ["one"] });
  expect(counts.reduce((sum, { count: n }) => sum + n, 0)).toBeGreaterThanOrEqual(before);
  await after.close();
});

test("a file that is removed or replaced while it is used is noticed", async () => {
  const reports: string[] = [];
  const queue = openLocalQueue({ path, keyring, onDamage: (error) => reports.push(error.message) });
  await queue.append(makeEntries());
  rmSync(path);
  await vi.waitFor(() => expect(reports).toEqual([expect.stringContaining("removed or replaced")]), 10_000);
  await queue.close().catch(() => undefined);
  expect(statSync(folder).isDirectory()).toBe(true);
});
