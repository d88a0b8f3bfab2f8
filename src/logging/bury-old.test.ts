import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { startFakeLangfuse } from "../../e2e/fakes/langfuse.ts";
import { closeUpstreams } from "#lib/fetch-upstream.ts";
import { makeKeyring } from "#lib/seal.ts";
import { makeDeliverer } from "#logging/deliver.ts";
import { openLocalQueue } from "#logging/queue/local.ts";
import { encodeRecord } from "#logging/queued-record.ts";
import { makeRecord } from "#testing/make-record.ts";

const numbers = { triesMax: 3, ageMaxMs: 3_600_000, retryMinMs: 50, retryMaxMs: 200 };

test("a callback that stays misconfigured holds no record for longer than its age allows", async () => {
  const folder = mkdtempSync(join(tmpdir(), "sluice-bury-"));
  const queue = openLocalQueue({ path: join(folder, "queue.sqlite"), keyring: makeKeyring(["a-key-of-the-tests"]) });
  const records = Array.from({ length: 151 }, (_, index) => `record-${String(index)}`);
  for (const recordId of records) {
    const createdAtMs = Date.now() - (recordId === "record-150" ? 0 : numbers.ageMaxMs);
    const contents = [{ body: "{}", callbackIds: ["a"] }];
    await queue.append([{ recordId, callId: recordId, teamId: null, keyHash: null, createdAtMs, contents }]);
  }
  const deliverer = makeDeliverer({
    queue,
    resolve: async () => ({ state: "misconfigured", message: "The stored secrets cannot be opened." }),
    redactionNow: async () => ({ level: "off", classes: [] }),
    isDisabled: () => false,
    numbers,
    keepMetadata: [],
    idlePollMs: 20,
  });
  const dead = { callbackId: "a", state: "dead", count: 150 };
  const pending = { callbackId: "a", state: "pending", count: 1 };
  const counts = async () => queue.find({ by: "counts" });
  await vi.waitFor(async () => expect(await counts()).toEqual([pending, dead]), { timeout: 8_000, interval: 20 });
  const [row] = await queue.find({ by: "record", id: "record-0" });
  expect(row?.message).toBe("The stored secrets cannot be opened.");
  await deliverer.drain(0);
  await queue.close();
  rmSync(folder, { recursive: true });
});

test("a record behind an open circuit is dead at its age, with what the destination answered last", async () => {
  const langfuse = await startFakeLangfuse({
    projects: [{ id: "a", name: "a", publicKey: "pk-lf-a", secretKey: "sk" }],
  });
  langfuse.setBehaviour({ status: 503, headers: { "retry-after": "3600" }, body: { message: "out of order" } });
  const folder = mkdtempSync(join(tmpdir(), "sluice-bury-"));
  const queue = openLocalQueue({ path: join(folder, "queue.sqlite"), keyring: makeKeyring(["a-key-of-the-tests"]) });
  async function append(recordId: string, createdAtMs: number): Promise<void> {
    const body = encodeRecord({ record: makeRecord({ recordId, callId: recordId }), liftedFrom: null });
    const contents = [{ body, callbackIds: ["a"] }];
    await queue.append([{ recordId, callId: recordId, teamId: null, keyHash: null, createdAtMs, contents }]);
  }
  const rowOf = async (id: string) => (await queue.find({ by: "record", id }))[0];
  const vars = { langfuse_public_key: "pk-lf-a", langfuse_secret_key: "sk", langfuse_host: langfuse.url };
  await append("young", Date.now());
  const deliverer = makeDeliverer({
    queue,
    resolve: async () => ({ state: "ready", callbackName: "langfuse", vars, reach: "operator" }),
    redactionNow: async () => ({ level: "off", classes: [] }),
    isDisabled: () => false,
    numbers,
    keepMetadata: [],
    idlePollMs: 20,
    sweepMs: 20,
  });
  await vi.waitFor(async () => expect(await rowOf("young")).toMatchObject({ status: 503 }), { timeout: 8_000 });
  await append("old", Date.now() - numbers.ageMaxMs);
  await vi.waitFor(async () => expect(await rowOf("old")).toMatchObject({ state: "dead" }), { timeout: 8_000 });
  expect(await rowOf("old")).toMatchObject({ status: 503, tries: 0 });
  expect((await rowOf("old"))?.message).toMatch(/^Older than 1 h\..*out of order/);
  expect(await rowOf("young")).toMatchObject({ state: "pending" });
  await deliverer.drain(0);
  await queue.close();
  await closeUpstreams();
  await langfuse.close();
  rmSync(folder, { recursive: true });
});
