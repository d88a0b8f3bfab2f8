import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { makeAppends } from "#logging/delivery-appends.ts";
import type { ToDeliveryThread } from "#logging/delivery-messages.ts";
import type { QueueEntry } from "#logging/queue/queue.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setImmediate", "performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});

function entry(recordId: string): QueueEntry {
  return { recordId, callId: recordId, teamId: null, keyHash: null, createdAtMs: 0, contents: [] };
}

/** Appends whose groups are committed at once, and how many entries each group had. */
function appendsOf() {
  const sizes: number[] = [];
  const appends = makeAppends((message: ToDeliveryThread) => {
    if (message.type !== "append") return;
    sizes.push(message.entries.length);
    appends.settle({ batch: message.batch });
  });
  return { appends, sizes };
}

test("a call that comes alone is committed without waiting for another", async () => {
  const { appends, sizes } = appendsOf();
  for (let call = 0; call < 10; call += 1) {
    const done = appends.append(entry(`alone-${String(call)}`));
    await vi.advanceTimersByTimeAsync(1);
    await done;
    await vi.advanceTimersByTimeAsync(50);
  }
  expect(sizes).toEqual(Array.from({ length: 10 }, () => 1));
});

test("calls that come one after the other in a crowd share commits, and each is told of its own", async () => {
  const { appends, sizes } = appendsOf();
  const done: Promise<void>[] = [];
  for (let call = 0; call < 200; call += 1) {
    done.push(appends.append(entry(`crowd-${String(call)}`)));
    await vi.advanceTimersByTimeAsync(1);
  }
  await vi.advanceTimersByTimeAsync(4);
  await Promise.all(done);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(200);
  expect(sizes.length).toBeLessThan(200 / 3);
});

test("a large group does not wait for more", async () => {
  const { appends, sizes } = appendsOf();
  for (let round = 0; round < 3; round += 1) {
    // Nothing but these is there to commit them: time stands still.
    await Promise.all(
      Array.from({ length: 32 }, (_, call) => appends.append(entry(`${String(round)}-${String(call)}`))),
    );
  }
  expect(sizes).toEqual([32, 32, 32]);
});
