import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { startFakeLangfuse, type FakeLangfuse } from "../../e2e/fakes/langfuse.ts";
import { closeUpstreams } from "#lib/fetch-upstream.ts";
import { makeKeyring } from "#lib/seal.ts";
import { makeDeliverer, type Deliverer } from "#logging/deliver.ts";
import type { DeliverySource } from "#logging/delivery-source.ts";
import { openLocalQueue } from "#logging/queue/local.ts";
import type { DeliveryRow, Queue } from "#logging/queue/queue.ts";
import { encodeRecord } from "#logging/queued-record.ts";
import type { LogRecord } from "#logging/record.ts";
import type { RedactionLevel } from "#logging/redaction-level.ts";
import type { ResolvedCallback } from "#logging/resolve-callback.ts";
import { makeRecord } from "#testing/make-record.ts";

const projects = ["a", "b"].map((id) => ({ id, name: id, publicKey: `pk-lf-${id}`, secretKey: `sk-lf-${id}` }));
const numbers = { triesMax: 3, ageMaxMs: 3_600_000, retryMinMs: 20, retryMaxMs: 60 };

let fake: FakeLangfuse;
let folder: string;
let files = 0;
let queue: Queue;
let deliverer: Deliverer | null = null;
let disabled: Set<string>;
let callbacks: Map<string, ResolvedCallback>;
let redaction: RedactionLevel | Error;

beforeAll(async () => {
  fake = await startFakeLangfuse({ projects });
  folder = mkdtempSync(join(tmpdir(), "deliver-"));
});

afterAll(async () => {
  await closeUpstreams();
  await fake.close();
  rmSync(folder, { recursive: true, force: true });
});

beforeEach(() => {
  files += 1;
  queue = openLocalQueue({
    path: join(folder, `${String(files)}.sqlite`),
    keyring: makeKeyring(["a-key-of-the-tests-0123"]),
  });
  fake.reset();
  fake.setBehaviour({});
  disabled = new Set();
  callbacks = new Map([
    ["a", ready("a")],
    ["b", ready("b")],
  ]);
  redaction = "off";
});

afterEach(async () => {
  await deliverer?.drain(0);
  deliverer = null;
  await queue.close();
});

function ready(project: string, changes: Record<string, string> = {}): ResolvedCallback {
  const vars = {
    langfuse_public_key: `pk-lf-${project}`,
    langfuse_secret_key: `sk-lf-${project}`,
    langfuse_host: fake.url,
    ...changes,
  };
  return { state: "ready", callbackName: "langfuse", vars, reach: "operator" };
}

function start(changes: Partial<DeliverySource> = {}): Deliverer {
  deliverer = makeDeliverer({
    queue,
    resolve: async (callbackId) => callbacks.get(callbackId) ?? { state: "gone" },
    redactionNow: async () => {
      if (redaction instanceof Error) throw redaction;
      return { level: redaction, classes: [] };
    },
    isDisabled: (teamId) => disabled.has(teamId),
    numbers,
    keepMetadata: [],
    idlePollMs: 20,
    ...changes,
  });
  return deliverer;
}

type Queued = {
  callbackIds?: string[];
  teamId?: string | null;
  createdAtMs?: number;
  body?: string;
  liftedFrom?: RedactionLevel;
};

async function append(recordId: string, { callbackIds = ["a"], teamId = null, ...rest }: Queued = {}): Promise<void> {
  const record: LogRecord = makeRecord({ recordId, callId: recordId });
  const body = rest.body ?? encodeRecord({ record, liftedFrom: rest.liftedFrom ?? null });
  const createdAtMs = rest.createdAtMs ?? Date.now();
  await queue.append([
    { recordId, callId: recordId, teamId, keyHash: null, createdAtMs, contents: [{ body, callbackIds }] },
  ]);
}

async function row(recordId: string, callbackId = "a"): Promise<DeliveryRow | undefined> {
  return (await queue.find({ by: "record", id: recordId })).find((found) => found.callbackId === callbackId);
}

/** Waits until the delivery has this state. */
async function settled(recordId: string, state: DeliveryRow["state"], callbackId = "a"): Promise<DeliveryRow> {
  const found = await vi.waitFor(
    async () => {
      const now = await row(recordId, callbackId);
      expect(now?.state).toBe(state);
      return now;
    },
    { timeout: 8_000, interval: 10 },
  );
  if (!found) throw new Error("There is no such delivery.");
  return found;
}

/** vitest's matchers are typed as any. */
function containing(text: string): unknown {
  return expect.stringContaining(text);
}

/** Waits until the fake saw so many requests. */
async function requests(count: number): Promise<void> {
  await vi.waitFor(() => expect(fake.requests.length).toBeGreaterThanOrEqual(count), { timeout: 8_000, interval: 5 });
}

const arrived = (project: string): number => fake.project(project).spans.length;
const received = (project: string): string => JSON.stringify(fake.project(project).spans);

describe("delivery", () => {
  test("brings every record to its own project and settles it", async () => {
    for (let index = 0; index < 5; index += 1) await append(`r${String(index)}`, { callbackIds: ["a", "b"] });
    start();
    for (let index = 0; index < 5; index += 1) {
      expect(await settled(`r${String(index)}`, "delivered", "a")).toMatchObject({ status: 200, tries: 1 });
      await settled(`r${String(index)}`, "delivered", "b");
    }
    expect([arrived("a"), arrived("b")]).toEqual([5, 5]);
  });

  test("finds what is queued later", async () => {
    const running = start();
    await append("r1");
    running.wake();
    await settled("r1", "delivered");
  });

  test("tries again after a 500, and counts the try", async () => {
    fake.setBehaviour({ status: 500, times: 1 });
    await append("r1");
    start();
    expect(await settled("r1", "delivered")).toMatchObject({ tries: 2 });
    expect(arrived("a")).toBe(1);
  });

  test("tries again where the answer was lost, and the destination sees the same ids", async () => {
    fake.setBehaviour({ loseAnswer: true, times: 1 });
    await append("r1");
    start();
    await settled("r1", "delivered");
    expect(fake.requests.length).toBeGreaterThanOrEqual(2);
    expect(arrived("a")).toBe(1);
  });

  test("gives a record up after its own tries, in the destination's words", async () => {
    fake.setBehaviour({ status: 500, body: { message: "out of order" } });
    await append("r1");
    start();
    expect(await settled("r1", "dead")).toMatchObject({ status: 500, tries: 3, message: containing("out of order") });
  });

  test("gives a record up by its age, whoever is at fault", async () => {
    fake.setBehaviour({ down: true });
    await append("r1", { createdAtMs: Date.now() - numbers.ageMaxMs });
    start();
    await settled("r1", "dead");
  });

  test("a record that cannot be read is dead and stops no other", async () => {
    await append("broken", { body: "{" });
    await append("r1");
    start();
    await settled("r1", "delivered");
    await settled("broken", "dead");
  });
});

describe("a destination at fault", () => {
  test("that refuses the credentials uses no tries, and gets everything once they are right", async () => {
    callbacks.set("a", ready("a", { langfuse_secret_key: "wrong" }));
    await append("r1");
    await append("r2");
    const running = start();
    await requests(numbers.triesMax + 2);
    expect(await row("r1")).toMatchObject({ state: "pending", tries: 0 });
    callbacks.set("a", ready("a"));
    running.retryNow();
    expect(await settled("r1", "delivered")).toMatchObject({ tries: 1 });
    await settled("r2", "delivered");
  });

  test("is left alone while its circuit is open, and asked at once after a change", async () => {
    callbacks.set("a", ready("a", { langfuse_secret_key: "wrong" }));
    await append("r1");
    const running = start({ numbers: { ...numbers, retryMinMs: 600_000, retryMaxMs: 600_000 } });
    await requests(1);
    await vi.waitFor(async () => expect(await row("r1")).toMatchObject({ status: 401 }), { interval: 5 });
    running.wake();
    await append("r2", { callbackIds: ["b"] });
    running.wake();
    await settled("r2", "delivered", "b");
    expect(fake.requests.filter((request) => request.status === 401)).toHaveLength(1);
    callbacks.set("a", ready("a"));
    running.retryNow();
    await settled("r1", "delivered");
  });

  test("that cannot be reached uses no tries", async () => {
    callbacks.set("a", ready("a", { langfuse_host: "http://127.0.0.1:1" }));
    await append("r1");
    start();
    await vi.waitFor(async () => expect(await row("r1")).toMatchObject({ message: containing("127.0.0.1") }), {
      interval: 5,
    });
    expect(await row("r1")).toMatchObject({ state: "pending", tries: 0, status: 0 });
    callbacks.set("a", ready("a"));
    await settled("r1", "delivered");
  });

  test("that hangs is cut off at the deadline, and delays nobody meanwhile", async () => {
    fake.setBehaviour({ projectId: "a", hang: true });
    await append("r1");
    const running = start({ sendTimeoutMs: 600 });
    await requests(1);
    await append("r2", { callbackIds: ["b"] });
    running.wake();
    await settled("r2", "delivered", "b");
    expect((await row("r1"))?.message ?? "").toBe("");
    await vi.waitFor(async () => expect((await row("r1"))?.message).toMatch(/in time/), {
      timeout: 5_000,
      interval: 10,
    });
    expect(await row("r1")).toMatchObject({ state: "pending", tries: 0 });
    fake.setBehaviour({});
    await settled("r1", "delivered");
  });

  test("one of very many that hang leaves room for one that works", async () => {
    fake.setBehaviour({ projectId: "b", hang: true });
    for (let index = 0; index < 100; index += 1) {
      callbacks.set(`hung-${String(index)}`, ready("b"));
      await append(`h${String(index)}`, { callbackIds: [`hung-${String(index)}`] });
    }
    // Long enough for the one that works on a machine that is busy.
    const running = start({ sendTimeoutMs: 500, numbers: { ...numbers, retryMinMs: 1, retryMaxMs: 1 } });
    await requests(164);
    await append("r1");
    running.wake();
    await settled("r1", "delivered");
  });

  test("is told in half: what got through is settled, the rest waits", async () => {
    fake.setBehaviour({ status: 413, times: 1 });
    await append("r1");
    await append("r2");
    start();
    await settled("r1", "delivered");
    await settled("r2", "delivered");
    expect(arrived("a")).toBe(2);
  });

  test("a callback that is misconfigured keeps its records until it is corrected", async () => {
    callbacks.set("a", { state: "misconfigured", message: "no" });
    await append("r1");
    const running = start();
    await append("r2", { callbackIds: ["b"] });
    running.wake();
    await settled("r2", "delivered", "b");
    expect(await row("r1")).toMatchObject({ state: "pending", tries: 0 });
    callbacks.set("a", ready("a"));
    running.retryNow();
    await settled("r1", "delivered");
  });

  test("a question for the callback that fails loses nothing", async () => {
    let asked = 0;
    await append("r1");
    start({
      resolve: async () => {
        asked += 1;
        if (asked === 1) throw new Error("no database");
        return ready("a");
      },
    });
    await settled("r1", "delivered");
  });
});

describe("whose logging ended", () => {
  test("a deleted callback's records are suppressed", async () => {
    await append("r1", { callbackIds: ["deleted", "a"] });
    start();
    await settled("r1", "suppressed", "deleted");
    await settled("r1", "delivered", "a");
    expect(arrived("a")).toBe(1);
  });

  test("a team that was disabled in an earlier life of the process: its records go, and nothing is sent", async () => {
    disabled.add("T");
    await append("r1", { teamId: "T" });
    await append("r2", { teamId: "other" });
    start();
    await settled("r2", "delivered");
    expect(await queue.find({ by: "record", id: "r1" })).toEqual([]);
    expect(arrived("a")).toBe(1);
  });

  test("a team that is disabled between claim and send: nothing is sent", async () => {
    await append("r1", { teamId: "T" });
    const aborted: Promise<void>[] = [];
    const running: Deliverer = start({
      redactionNow: async () => {
        disabled.add("T");
        aborted.push(running.abortTeam("T"));
        return { level: "off", classes: [] };
      },
    });
    await vi.waitFor(() => expect(aborted).not.toEqual([]), { interval: 5 });
    await Promise.all(aborted);
    expect(fake.requests).toHaveLength(0);
    await vi.waitFor(async () => expect(await row("r1")).toBeUndefined(), { interval: 5 });
    expect(fake.requests).toHaveLength(0);
  });

  test("what is in flight for a team is aborted and has ended when abortTeam returns; others go on", async () => {
    fake.setBehaviour({ projectId: "a", hang: true, times: 1 });
    await append("r1", { teamId: "T" });
    await append("r2", { teamId: "other" });
    const running = start();
    await requests(1);
    disabled.add("T");
    await running.abortTeam("T");
    expect(await queue.purge({ teamId: "T" })).toBe(1);
    expect(await settled("r2", "delivered")).toMatchObject({ tries: 1 });
    expect(arrived("a")).toBe(1);
  });

  test("aborting a team that has nothing in flight disturbs nobody", async () => {
    fake.setBehaviour({ latencyMs: 50 });
    await append("r1", { teamId: "other" });
    const running = start();
    await requests(1);
    await running.abortTeam("T");
    expect(await settled("r1", "delivered")).toMatchObject({ tries: 1 });
    expect(fake.requests).toHaveLength(1);
  });
});

describe("redaction at send time", () => {
  const prompt = "Hello!";

  test("that was switched on later is applied to what is queued", async () => {
    redaction = "content";
    await append("r1");
    start();
    await settled("r1", "delivered");
    expect(received("a")).not.toContain(prompt);
    expect(received("a")).toContain("redacted-by-litellm");
  });

  test("leaves open what is open", async () => {
    await append("r1");
    start();
    await settled("r1", "delivered");
    expect(received("a")).toContain(prompt);
  });

  test("keeps lifted what a request lifted, until it becomes stricter than that was", async () => {
    redaction = "content";
    await append("r1", { liftedFrom: "content" });
    start();
    await settled("r1", "delivered");
    expect(received("a")).toContain(prompt);
    expect(received("a")).not.toContain("liftedFrom");
    fake.reset();
    redaction = "metadata_only";
    await append("r2", { liftedFrom: "content" });
    deliverer?.wake();
    await settled("r2", "delivered");
    expect(received("a")).not.toContain(prompt);
  });

  test("that is not known sends nothing, and the records wait without a try", async () => {
    redaction = new Error("no database");
    await append("r1");
    const running = start();
    await vi.waitFor(async () => expect((await row("r1"))?.message).toMatch(/redaction/), { interval: 5 });
    expect(fake.requests).toHaveLength(0);
    redaction = "off";
    running.retryNow();
    expect(await settled("r1", "delivered")).toMatchObject({ tries: 1 });
  });
});

describe("drain", () => {
  test("sends everything that is due, however many batches that takes", async () => {
    for (let index = 0; index < 250; index += 1) await append(`r${String(index)}`, { callbackIds: ["a", "b"] });
    await start().drain(Date.now() + 8_000);
    expect([arrived("a"), arrived("b")]).toEqual([250, 250]);
    expect(await queue.find({ by: "due", nowMs: Date.now() })).toEqual([]);
  });

  test("does not wait for what cannot be sent now", async () => {
    callbacks.set("a", { state: "misconfigured", message: "no" });
    fake.setBehaviour({ projectId: "b", status: 503 });
    await append("r1", { callbackIds: ["a", "b"] });
    await start({ numbers: { ...numbers, retryMinMs: 600_000, retryMaxMs: 600_000 } }).drain(Date.now() + 60_000);
    expect(await row("r1", "a")).toMatchObject({ state: "pending" });
    expect(await row("r1", "b")).toMatchObject({ state: "pending", status: 503 });
  });

  test("aborts at its deadline what is in flight, and starts nothing more", async () => {
    fake.setBehaviour({ hang: true });
    await append("r1");
    const running = start();
    await requests(1);
    await running.drain(Date.now() + 50);
    expect(await row("r1")).toMatchObject({ state: "pending", tries: 0, message: "interrupted" });
    expect(await queue.find({ by: "due", nowMs: Date.now() })).toHaveLength(1);
    await append("r2");
    running.wake();
    running.retryNow();
    expect(fake.requests).toHaveLength(1);
  });
});
