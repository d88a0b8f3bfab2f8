import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { z } from "zod";
import { closeUpstreams } from "#lib/fetch-upstream.ts";
import { makeKeyring } from "#lib/seal.ts";
import { makeDeliverer, type Deliverer } from "#logging/deliver.ts";
import { openLocalQueue } from "#logging/queue/local.ts";
import type { ClaimedDelivery, DeliveryRow, Queue } from "#logging/queue/queue.ts";
import { encodeRecord } from "#logging/queued-record.ts";
import type { ResolvedCallback } from "#logging/resolve-callback.ts";
import { makeRecord } from "#testing/make-record.ts";

/** A backlog of several full batches of a webhook, at whose receiver a batch waits until the test answers it. */

const batchRecords = 500;
const Batch = z.array(z.object({ litellm_call_id: z.string() }));

type Arrival = { path: string; ids: string[]; response: ServerResponse };

let sink: ReturnType<typeof createServer>;
let sinkUrl: string;
let folder: string;
let arrivals: Arrival[];
/** Answers a batch, or leaves it to the test. */
let onArrival: (arrival: Arrival, number: number) => void;
let queue: Queue;
let claims: number;
/** What becomes of a claim before the deliverer has it. */
let onClaimed: (claimed: ClaimedDelivery[]) => Promise<ClaimedDelivery[]>;
let resolved: ResolvedCallback;
let disabled: Set<string>;
let deliverer: Deliverer;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "flight-"));
  sink = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const records = Batch.parse(JSON.parse(Buffer.concat(chunks).toString()));
      const arrival = { path: request.url ?? "", ids: records.map(({ litellm_call_id: id }) => id), response };
      onArrival(arrival, arrivals.push(arrival));
    });
  });
  await new Promise<void>((resolve) => sink.listen(0, "127.0.0.1", resolve));
  const address = sink.address();
  if (address === null || typeof address === "string") throw new Error("The sink has no port.");
  sinkUrl = `http://127.0.0.1:${String(address.port)}`;
});

afterAll(async () => {
  await closeUpstreams();
  sink.closeAllConnections();
  await new Promise((resolve) => sink.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});

beforeEach((context) => {
  arrivals = [];
  onArrival = accept;
  claims = 0;
  onClaimed = async (claimed) => claimed;
  disabled = new Set();
  resolved = webhookAt("/first");
  const local = openLocalQueue({
    path: join(folder, `${context.task.id}.sqlite`),
    keyring: makeKeyring(["a-key-of-the-tests"]),
  });
  queue = {
    ...local,
    async claim(request) {
      const claimed = await local.claim(request);
      if (claimed.length > 0) claims += 1;
      return onClaimed(claimed);
    },
  };
});

afterEach(async () => {
  for (const { response } of arrivals) response.destroy();
  await deliverer.drain(0);
  await queue.close();
});

function webhookAt(path: string): ResolvedCallback {
  const vars = { webhook_url: `${sinkUrl}${path}` };
  return { state: "ready", callbackName: "webhook", vars, reach: "operator" };
}

function accept({ response }: Arrival): void {
  response.end("{}");
}

function start(): void {
  deliverer = makeDeliverer({
    queue,
    resolve: async () => resolved,
    redactionNow: async () => ({ level: "off", classes: [] }),
    isDisabled: (teamId) => disabled.has(teamId),
    numbers: { triesMax: 3, ageMaxMs: 3_600_000, retryMinMs: 20, retryMaxMs: 60 },
    keepMetadata: [],
    idlePollMs: 20,
  });
}

async function append(batches: number): Promise<string[]> {
  const createdAtMs = Date.now();
  const ids = Array.from({ length: batches * batchRecords }, (_, index) => `r${String(index).padStart(5, "0")}`);
  await queue.append(
    ids.map((recordId) => {
      const body = encodeRecord({ record: makeRecord({ recordId, callId: recordId }), liftedFrom: null });
      const contents = [{ body, callbackIds: ["a"] }];
      return { recordId, callId: recordId, teamId: "team", keyHash: null, createdAtMs, contents };
    }),
  );
  return ids;
}

async function rows(): Promise<DeliveryRow[]> {
  const filter = { callbackIds: ["a"] };
  return (await queue.list({ filter, before: null, limit: 100_000 })).rows;
}

async function counts(): Promise<Record<string, number>> {
  const found = await queue.find({ by: "counts" });
  return Object.fromEntries(found.map(({ state, count }) => [state, count]));
}

async function until(check: () => void | Promise<void>): Promise<void> {
  await vi.waitFor(check, { timeout: 20_000, interval: 10 });
}

/** Waits until one batch is held by its receiver and the one after it is claimed. */
async function untilClaimedAhead(): Promise<void> {
  await until(() => {
    expect(arrivals).toHaveLength(2);
    expect(claims).toBe(3);
  });
}

test("a long backlog arrives once and in order, and all of it is settled", async () => {
  const ids = await append(6);
  start();
  await until(async () => expect(await counts()).toEqual({ delivered: ids.length }));
  expect(arrivals.flatMap((arrival) => arrival.ids)).toEqual(ids);
});

test("nothing is claimed ahead before the destination has taken a batch", async () => {
  onArrival = () => undefined;
  await append(3);
  start();
  await until(() => expect(arrivals).toHaveLength(1));
  expect(claims).toBe(1);
});

test("what was claimed ahead of a batch that failed uses no try, and says what kept it", async () => {
  const ids = await append(4);
  onArrival = (arrival, number) => {
    if (number !== 2) accept(arrival);
  };
  start();
  await untilClaimedAhead();
  onArrival = () => undefined;
  arrivals[1]?.response.writeHead(401).end("who are you");
  await until(async () => {
    const kept = (await rows()).filter(({ status }) => status === 401);
    expect(kept.map(({ recordId }) => recordId).toSorted()).toEqual(ids.slice(500, 1500));
  });
  expect((await rows()).filter(({ tries }) => tries > 0)).toHaveLength(batchRecords);
  onArrival = accept;
  arrivals[2]?.response.destroy();
  await until(async () => expect(await counts()).toEqual({ delivered: ids.length }));
});

test("a disabled team's records that were claimed ahead go nowhere", async () => {
  await append(4);
  onArrival = (arrival, number) => {
    if (number !== 2) accept(arrival);
  };
  start();
  await untilClaimedAhead();
  disabled.add("team");
  await deliverer.abortTeam("team");
  await queue.purge({ teamId: "team" });
  await until(async () => expect(await rows()).toEqual([]));
  expect(arrivals).toHaveLength(2);
});

test("a team's records whose claim is under way go nowhere", async () => {
  await append(1);
  const reached = Promise.withResolvers<undefined>();
  const gate = Promise.withResolvers<undefined>();
  onClaimed = async (claimed) => {
    onClaimed = async () => [];
    reached.resolve(undefined);
    await gate.promise;
    return claimed;
  };
  start();
  await reached.promise;
  const aborted = deliverer.abortTeam("team");
  await queue.purge({ teamId: "team" });
  gate.resolve(undefined);
  await aborted;
  await deliverer.drain(Date.now() + 20_000);
  expect(arrivals).toEqual([]);
  expect(await rows()).toEqual([]);
});

test("what was claimed ahead is sent where nothing but other callbacks has changed", async () => {
  const ids = await append(3);
  onArrival = (arrival, number) => {
    if (number !== 2) accept(arrival);
  };
  start();
  await untilClaimedAhead();
  resolved = webhookAt("/first");
  const [, held] = arrivals;
  if (held) accept(held);
  await until(async () => expect(await counts()).toEqual({ delivered: ids.length }));
  expect(claims).toBe(3);
});

test("what was claimed ahead goes where the callback points when it is sent, and shows no failure", async () => {
  const ids = await append(3);
  onArrival = (arrival, number) => {
    if (number === 1) accept(arrival);
  };
  start();
  await untilClaimedAhead();
  resolved = webhookAt("/second");
  const [, held] = arrivals;
  if (held) accept(held);
  await until(() => expect(arrivals).toHaveLength(3));
  const waiting = (await rows()).filter(({ state }) => state === "pending");
  expect(waiting).toHaveLength(batchRecords);
  expect(waiting.filter(({ status, message }) => status !== null || message !== null)).toEqual([]);
  const [, , last] = arrivals;
  if (last) accept(last);
  await until(async () => expect(await counts()).toEqual({ delivered: ids.length }));
  expect(arrivals.map(({ path }) => path)).toEqual(["/first", "/first", "/second"]);
});

test("what was claimed ahead for a callback that is deleted is suppressed", async () => {
  await append(3);
  onArrival = (arrival, number) => {
    if (number !== 2) accept(arrival);
  };
  start();
  await untilClaimedAhead();
  resolved = { state: "gone" };
  const [, held] = arrivals;
  if (held) accept(held);
  await until(async () => expect((await counts()).pending ?? 0).toBe(0));
  expect(await counts()).toEqual({ delivered: 2 * batchRecords, suppressed: batchRecords });
  expect(arrivals).toHaveLength(2);
});
