import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { z } from "zod";
import { parseConfig } from "#lib/config.ts";
import { setLogger } from "#lib/logger.ts";
import type { ChangedPolicy, Delivery } from "#logging/delivery.ts";
import { startDeliveryThread } from "#logging/delivery-thread.ts";
import { holdAfter } from "#logging/lasting-thread.ts";
import type { QueueEntry } from "#logging/queue/queue.ts";
import { encodeRecord } from "#logging/queued-record.ts";
import { makeRecord } from "#testing/make-record.ts";

let dir: string;
let delivery: Delivery;
const failures: Error[] = [];

beforeAll(async () => {
  setLogger("silent");
  dir = mkdtempSync(join(tmpdir(), "sluice-thread-"));
  delivery = await startDeliveryThread(
    {
      queuePath: join(dir, "records.sqlite"),
      queueDatabaseUrl: null,
      masterKeys: ["encryption-key-of-the-tests-0123456789"],
      config: parseConfig("{}", "config.yaml", {}).config,
      privateHosts: [],
      disabledTeamIds: [],
      purges: [],
      needsLease: false,
      logLevel: "silent",
    },
    {
      resolve: async () => ({
        state: "ready",
        callbackName: "local_files",
        vars: { local_files_dir: join(dir, "logs") },
        reach: "operator",
      }),
      redaction: async () => ({ level: "off", classes: [] }),
      target: async () => null,
    },
    (error) => failures.push(error),
  );
});

afterAll(() => {
  rmSync(dir, { recursive: true, force: true });
});

/** A message that no thread survives. */
function crashThread(): void {
  delivery.forgetCallbacks(z.custom<ChangedPolicy>().parse({ keyHashes: [] }));
}

function makeEntry(recordId: string, teamId: string | null = null): QueueEntry {
  const record = { ...makeRecord(), recordId };
  const body = encodeRecord({ record, liftedFrom: null });
  const contents = [{ body, callbackIds: ["config:global:local_files"] }];
  return { recordId, callId: recordId, teamId, keyHash: null, createdAtMs: Date.now(), contents };
}

/** How often each record is in the files. */
function arrivals(): Map<string, number> {
  const counts = new Map<string, number>();
  const folder = join(dir, "logs");
  const texts = readdirSync(folder).map((file) => readFileSync(join(folder, file), "utf8"));
  for (const [, id = ""] of texts.join("").matchAll(/"record_id":"([^"]+)"/g))
    counts.set(id, (counts.get(id) ?? 0) + 1);
  return counts;
}

// One death for all of it: Node.js itself sometimes aborts where a thread ends while another one compiles
// (https://github.com/nodejs/node/issues/64500).
test("a delivery thread that dies is started again: what was taken before, meanwhile and after arrives, and a disabled team stays disabled", async () => {
  await delivery.disableTeam("quiet");
  const ids = Array.from({ length: 60 }, (_, index) => `record-${String(index)}`);
  const appends: Promise<void>[] = [];
  for (const [index, id] of ids.entries()) {
    appends.push(delivery.append(makeEntry(id)));
    if (index === 20) crashThread();
    await sleep(5);
  }
  await Promise.all(appends);
  await delivery.append(makeEntry("of the quiet team", "quiet"));
  await vi.waitFor(() => expect([...arrivals().keys()].toSorted()).toEqual(ids.toSorted()), 20_000);
  expect(await delivery.find({ by: "record", id: "of the quiet team" })).toEqual([]);
  expect(failures).toEqual([]);
}, 40_000);

test("a thread that dies again and again is given more and more time before it sends", () => {
  expect([1, 2, 3, 4, 5, 20].map(holdAfter)).toEqual([0, 0, 5_000, 10_000, 20_000, 300_000]);
});

test("what a thread is asked while it ends and afterwards holds nobody up", async () => {
  const stopping = delivery.stop(Date.now() + 5_000);
  const asked = Promise.allSettled(
    Array.from({ length: 20 }, async (_, index) => {
      await sleep(index);
      return delivery.disableTeam(`late ${String(index)}`);
    }),
  );
  await stopping;
  expect(await asked).toHaveLength(20);
  await expect(delivery.disableTeam("later")).rejects.toThrow();
});
