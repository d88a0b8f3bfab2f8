import { afterEach, beforeEach, expect, test } from "vitest";
import { configState, parseConfig } from "#lib/config.ts";
import { type Backfill, type BackfillRequest, makeBackfill } from "#logging/backfill.ts";
import type { PlannedTarget } from "#logging/log-plan.ts";
import { decodeRecord, encodeRecord, type QueuedRecord } from "#logging/queued-record.ts";
import type { Queue } from "#logging/queue/queue.ts";
import type { LogRecord } from "#logging/record.ts";
import { redact } from "#logging/redact.ts";
import { makeRecord } from "#testing/make-record.ts";
import { makeLocalHome } from "#testing/queue-engines.ts";

const target: PlannedTarget = {
  ...{ callbackId: "new", callbackName: "webhook", firesOn: "success_and_failure", redaction: "off" },
};
const request: BackfillRequest = { teamId: "a", createdFromMs: 0, before: null, callbackId: "new", isDryRun: false };

let home: ReturnType<typeof makeLocalHome>;
let queue: Queue;
let backfill: Backfill;
let targetOf: (keyHash: string | null) => PlannedTarget | null;
const disabled = new Set<string>();

beforeEach(async () => {
  configState.set(parseConfig("{}", "config.yaml", {}).config);
  home = makeLocalHome();
  queue = await home.open({ keepsContent: true });
  targetOf = () => target;
  disabled.clear();
  backfill = makeBackfill({
    queue,
    targetNow: async (_callbackId, { keyHash }) => targetOf(keyHash),
    isDisabled: (teamId) => disabled.has(teamId),
    keepMetadata: [],
  });
});

afterEach(async () => {
  await queue.close();
  await home.remove();
});

type Kept = { change?: Partial<LogRecord>; keyHash?: string; contents?: (record: LogRecord) => QueuedRecord[] };

/** Queues a record of team `a` and settles it as delivered. */
async function keep(recordId: string, { change = {}, keyHash = "key", contents }: Kept = {}): Promise<void> {
  const record = { ...makeRecord(change), recordId };
  const all = contents?.(record) ?? [{ record, liftedFrom: null }];
  const bodies = all.map((content, index) => ({ body: encodeRecord(content), callbackIds: [`old ${String(index)}`] }));
  await queue.append([{ recordId, callId: recordId, teamId: "a", keyHash, createdAtMs: Date.now(), contents: bodies }]);
  for (const { callbackIds } of bodies) {
    const callbackId = callbackIds[0] ?? "";
    const claimed = await queue.claim({ callbackId, limit: 10, bytesMax: 1e6, leaseMs: 1000, nowMs: Date.now() });
    await queue.settle(
      claimed.map(({ deliveryId }) => ({ deliveryId, state: "delivered", status: 200, message: "" })),
      Date.now(),
    );
  }
}

/** What the new callback has waiting, by record id. */
async function waiting(): Promise<Map<string, QueuedRecord>> {
  const claim = { callbackId: "new", limit: 1000, bytesMax: 1e9, leaseMs: 1000, nowMs: Date.now() };
  return new Map((await queue.claim(claim)).map(({ recordId, body }) => [recordId, decodeRecord(body)]));
}

test("queues what the callback never had, once, however often and at the same time it is asked", async () => {
  for (const id of ["r1", "r2", "r3"]) await keep(id);
  expect(await backfill.run({ ...request, isDryRun: true })).toEqual({ queued: 3, skipped: 0, next: null });
  const results = await Promise.all([backfill.run(request), backfill.run(request)]);
  expect(results.map(({ queued }) => queued)).toEqual([3, 0]);
  expect([...(await waiting()).keys()].toSorted()).toEqual(["r1", "r2", "r3"]);
});

test("goes through more than one page", async () => {
  for (let index = 0; index < 120; index += 1) await keep(`r${String(index)}`);
  expect(await backfill.run(request)).toEqual({ queued: 120, skipped: 0, next: null });
});

test("leaves out calls whose key the callback is not for, that its rules leave out, or that it does not fire on", async () => {
  targetOf = (keyHash) => {
    if (keyHash === "own destination") return null;
    if (keyHash === "failures") return { ...target, firesOn: "failure" };
    const rules = { samplingRate: 1, keepsFailures: true, models: ["gpt-*"], keys: [], statuses: [] };
    return { ...target, rules };
  };
  await keep("r1", { keyHash: "own destination" });
  await keep("r2", { keyHash: "failures" });
  await keep("r3", { keyHash: "failures", change: { status: "failure" } });
  await keep("r4");
  await keep("r5", { change: { model: "o1", modelGroup: "o1" } });
  expect(await backfill.run(request)).toEqual({ queued: 2, skipped: 3, next: null });
  expect([...(await waiting()).keys()].toSorted()).toEqual(["r3", "r4"]);
});

test("leaves out calls that did not want callbacks of this name, by any name of it", async () => {
  const notFor = (names: string[]) => (record: LogRecord) => [{ record, liftedFrom: null, optedOut: names }];
  await keep("r1", { contents: notFor(["generic_api"]) });
  await keep("r2", { contents: notFor(["langfuse"]) });
  expect(await backfill.run(request)).toEqual({ queued: 1, skipped: 1, next: null });
  expect((await waiting()).get("r2")?.optedOut).toEqual(["langfuse"]);
});

test("redacts for the callback before anything is queued, from the fullest content that is kept", async () => {
  const full = { input: { messages: [{ role: "user", content: "hi" }] } };
  await keep("r1", {
    change: full,
    contents: (record) => [
      { record: redact(record, "content", { keepMetadata: [] }), liftedFrom: null },
      { record, liftedFrom: null },
    ],
  });
  await backfill.run(request);
  expect((await waiting()).get("r1")?.record.input).toEqual(full.input);
  await queue.purge({ teamId: "a" });
  await keep("r2", { change: full });
  targetOf = () => ({ ...target, redaction: "content" });
  await backfill.run(request);
  expect(JSON.stringify((await waiting()).get("r2")?.record.input)).not.toContain('"hi"');
});

test("what was kept redacted stays so, and what a request lifted stays lifted only as far as it would now", async () => {
  await keep("redacted", {
    contents: (record) => [{ record: redact(record, "content", { keepMetadata: [] }), liftedFrom: null }],
  });
  await keep("lifted", { contents: (record) => [{ record, liftedFrom: "content" }] });
  const hasContent = (queued: QueuedRecord | undefined) => JSON.stringify(queued?.record).includes("Hello!");
  targetOf = () => ({ ...target, redaction: "content" });
  await backfill.run(request);
  const queued = await waiting();
  expect([hasContent(queued.get("redacted")), hasContent(queued.get("lifted"))]).toEqual([false, true]);
  targetOf = () => ({ ...target, callbackId: "strict", redaction: "metadata_only" });
  await backfill.run({ ...request, callbackId: "strict" });
  const strict = await queue.claim({ callbackId: "strict", limit: 9, bytesMax: 1e9, leaseMs: 1, nowMs: Date.now() });
  expect(strict.map(({ body }) => hasContent(decodeRecord(body)))).toEqual([false, false]);
});

test("the credentials that a request brought are not the callback's", async () => {
  const credentials = { langfuse_public_key: "pk", langfuse_secret_key: "sk" };
  await keep("r1", { contents: (record) => [{ record, liftedFrom: null, credentials }] });
  await backfill.run(request);
  expect((await waiting()).get("r1")?.credentials).toBeUndefined();
});

test("queues nothing of a team that is disabled, nor what was read before its records were removed", async () => {
  await keep("r1");
  disabled.add("a");
  expect(await backfill.run(request)).toMatchObject({ queued: 0 });
  disabled.clear();
  const purged: Promise<unknown>[] = [];
  targetOf = () => {
    if (purged.length === 0) purged.push(queue.purge({ teamId: "a" }), backfill.interrupt());
    return target;
  };
  expect(await backfill.run(request)).toEqual({ queued: 0, skipped: 0, next: null });
  await Promise.all(purged);
  expect(await queue.find({ by: "counts" })).toEqual([]);
});
