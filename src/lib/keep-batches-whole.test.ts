import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { PGlite } from "@electric-sql/pglite";
import { PGLiteSocketServer } from "@electric-sql/pglite-socket";
import pg from "pg";
import { expect, test } from "vitest";
import { keepBatchesWhole } from "#lib/keep-batches-whole.ts";

/** A message of PostgreSQL's protocol. */
function message(type: string, body: string): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(4 + Buffer.byteLength(body));
  return Buffer.concat([Buffer.from(type), length, Buffer.from(body)]);
}

/** Collects what the server sends; `until` resolves with all of it once a pattern has come. */
function listen(socket: Socket): { until(pattern: RegExp): Promise<string> } {
  let received = "";
  socket.on("data", (data) => (received += data.toString("latin1")));
  return {
    async until(pattern) {
      while (!pattern.test(received)) await once(socket, "data");
      return received;
    },
  };
}

const readyForQuery = /Z\0\0\0\x05I/;
const parseComplete = /1\0\0\0\x04/;
const completeOrError = /C\0\0\0|SERROR/;

test("gives a client its own rows although another one asks between its Parse and its Bind", async () => {
  const dir = mkdtempSync(join(tmpdir(), "sluice-test-"));
  const path = join(dir, ".s.PGSQL.5432");
  const database = keepBatchesWhole(await PGlite.create());
  const server = new PGLiteSocketServer({ db: database, path, maxConnections: 8 });
  await server.start();
  const other = new pg.Client({ host: dir, port: 5432, user: "postgres", database: "postgres" });
  const slow = connect(path);
  try {
    const answers = listen(slow);
    slow.write(Buffer.concat([message("", "\0\x03\0\0user\0postgres\0database\0postgres\0\0")]));
    await answers.until(readyForQuery);
    await other.connect();
    slow.write(message("P", "\0SELECT 'slow-row'\0\0\0"));
    await answers.until(parseComplete);
    const asked = other.query<{ value: string }>("SELECT $1::text AS value", ["other-row"]);
    await Promise.race([asked, wait(300)]);
    slow.write(message("B", "\0\0\0\0\0\0\0\0"));
    slow.write(message("E", "\0\0\0\0\0"));
    slow.write(message("S", ""));
    expect(await answers.until(completeOrError)).toContain("slow-row");
    expect((await asked).rows).toEqual([{ value: "other-row" }]);
  } finally {
    slow.destroy();
    await other.end();
    await server.stop();
    await database.close();
    rmSync(dir, { recursive: true, force: true });
  }
});
