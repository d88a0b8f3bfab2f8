import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { makeKeyring } from "#lib/seal.ts";
import { makeDeliverer } from "#logging/deliver.ts";
import { openLocalQueue } from "#logging/queue/local.ts";

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
