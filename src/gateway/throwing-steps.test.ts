import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { responseCacheState } from "#gateway/cache/response-cache.ts";
import { complete, type CompleteInput } from "#gateway/complete.ts";
import { forgetLoads, loadOf } from "#gateway/deployment-load.ts";
import { limiterState } from "#gateway/limits/admit-call.ts";
import type { Limiter } from "#gateway/limits/limiter.ts";
import { makeMemoryLimiter } from "#gateway/limits/memory-limiter.ts";
import { makeModelTable, modelsState } from "#gateway/models.ts";
import type { AskedAnswer, Operation } from "#gateway/operation.ts";
import { chat } from "#gateway/operations/chat.ts";
import { addSpend } from "#gateway/spend/add-spend.ts";
import { spendJournalState } from "#gateway/spend/spend-journal.ts";
import type { Spent } from "#gateway/spend/spent.ts";
import type { StreamCopy } from "#gateway/stream-copy.ts";
import type { Caller } from "#keys/caller.ts";
import { readCaller } from "#keys/read-caller.ts";
import type { AppError } from "#lib/errors.ts";
import { newRecordId, sha256Hex } from "#lib/id.ts";
import { setLogger } from "#lib/logger.ts";
import { findPiecewise, type PieceSink } from "#lib/piecewise-response.ts";
import { toAppError } from "#lib/to-app-error.ts";
import { deliveryState, type Delivery } from "#logging/delivery.ts";
import { decodeRecord } from "#logging/queued-record.ts";
import { isJsonObject, type JsonObject, type LogRecord } from "#logging/record.ts";
import { startApp, type TestApp } from "#testing/app.ts";
import { makeKey, makeTeam } from "#testing/make.ts";

setLogger("silent");

const config = `
litellm_settings: { callbacks: [local_files], cache: true }
model_list:
  - { model_name: m, litellm_params: { model: a/one, mock_response: some words, input_cost_per_token: 0.01 } }
  - { model_name: m, litellm_params: { model: a/two, mock_response: some words, input_cost_per_token: 0.01 } }
`;
const parallel = 3;

let app: TestApp;
let delivery: Delivery;
let key: string;
let noted: Spent[];
let records: LogRecord[];
let limiter: Limiter;

beforeAll(async () => {
  app = await startApp(config);
  delivery = app.delivery;
});
afterAll(() => app.close());
beforeEach(async () => {
  modelsState.set(makeModelTable(app.configure(config)));
  const { team_id } = await makeTeam(app.db, { max_budget: 100, max_parallel_requests: parallel });
  ({ key } = await makeKey(app.db, {
    team_id,
    max_budget: 100,
    max_parallel_requests: parallel,
    rpm_limit: 1_000,
    tpm_limit: 1e6,
  }));
  noted = [];
  records = [];
  spendJournalState.set({
    note: (spent) => void noted.push(spent),
    flush: async () => undefined,
    close: async () => undefined,
  });
  deliveryState.set({
    ...delivery,
    append: async ({ contents }) => void records.push(...contents.map(({ body }) => decodeRecord(body).record)),
  });
  limiterState.set((limiter = makeMemoryLimiter()));
  responseCacheState.set({ find: async () => null, store: async () => undefined, close: () => undefined });
  forgetLoads();
});

const thrown = (step: string): never => {
  throw new RangeError(`thrown by ${step}`);
};

/** An object in which one field cannot be read. */
function poisoned<Value extends object>(value: Value, name: string): Value {
  return Object.defineProperty({ ...value }, name, { enumerable: true, get: () => thrown(name) });
}

type Call = CompleteInput & { operation: Operation; caller: Caller };
type Fault = (call: Call) => unknown;

/** The copy of a stream in which one step throws. */
function withCopy(change: (copy: StreamCopy) => Partial<StreamCopy>): Fault {
  return () => ({
    operation: {
      ...chat,
      makeCopy(asked: AskedAnswer) {
        const copy = chat.makeCopy(asked);
        return copy && { ...copy, ...change(copy) };
      },
    },
  });
}

/** Where a call can throw, whole or streamed, and how it is made to. */
const steps: Record<string, Fault> = {
  "the reservation": ({ db }) => ({ db: poisoned(db, "$transaction") }),
  "the reservation after it was made": ({ caller }) => ({ caller: poisoned(caller, "limits") }),
  "the limits of tokens": () => limiterState.set({ ...limiter, read: async () => thrown("read") }),
  "a place": () => limiterState.set({ ...limiter, enter: async () => thrown("enter") }),
  "the count of requests": () => limiterState.set({ ...limiter, add: async () => thrown("add") }),
  "the cache": () =>
    responseCacheState.set({
      find: async () => thrown("find"),
      store: async () => undefined,
      close: () => undefined,
    }),
  "the choice of a deployment": ({ caller }) => ({ caller: poisoned(caller, "modelAliases") }),
  "the request to the upstream": ({ body }) => ({ body: poisoned(body, "stop") }),
  "the reading of an answer": () => ({
    operation: { ...chat, makeCopy: () => thrown("makeCopy"), readAnswer: () => thrown("readAnswer") },
  }),
  "the making of the record": () => ({ operation: { ...chat, readInput: () => thrown("readInput") } }),
  "redaction and encoding": () => ({
    operation: { ...chat, readInput: () => ({ messages: poisoned<JsonObject>({ role: "user" }, "content") }) },
  }),
  "the headers": ({ caller }) => ({
    caller: { ...caller, keyNumbers: caller.keyNumbers && poisoned(caller.keyNumbers, "tokensPerMinute") },
  }),
};

const streamSteps: Record<string, Fault> = {
  "the passing of a piece": withCopy(() => ({ pass: () => thrown("pass") })),
  "the last bytes": withCopy(() => ({ lastBytes: () => thrown("lastBytes") })),
  "the assembled answer": withCopy(() => ({ answer: () => thrown("answer") })),
};

/** Calls, reads the answer to its end, and tells how it ended. */
async function run(isStream: boolean, fault: Fault, sink: Partial<PieceSink> = {}): Promise<"answered" | AppError> {
  const caller = await readCaller(app.db, sha256Hex(key));
  if (!caller) throw new Error("There is no such key.");
  const body = { model: "m", stream: isStream, messages: [{ role: "user", content: "hi" }] };
  const input: Call = {
    ...{ db: app.db, operation: chat, caller, body, headers: new Headers() },
    ...{ callId: newRecordId(), callIdIsClients: false, path: "/v1/chat/completions" },
  };
  try {
    const changed = fault(input);
    const response = await complete(isJsonObject(changed) ? Object.assign({ ...input }, changed) : input);
    const answer = findPiecewise(response);
    if (answer === undefined) return "answered";
    const left = Promise.withResolvers<undefined>();
    const whole = {
      ...{ write: () => true, drained: async () => undefined, end: () => undefined, breakOff: () => undefined },
      ...sink,
    };
    await answer.body.pump(whole).catch(() => answer.body.leave().finally(() => left.resolve(undefined)));
    return "answered";
  } catch (error) {
    return toAppError(error, "request");
  }
}

/** Nothing is held any more: places, counts of running calls, and reservations, each given back once. */
async function expectNothingHeld(): Promise<void> {
  for (const deployment of modelsState.get().get("m") ?? []) expect(loadOf(deployment, Date.now()).running).toBe(0);
  const left = noted.filter(({ reservation }) => reservation !== null);
  await addSpend(app.db, newRecordId(), noted);
  const { keyHash, teamId } = (await readCaller(app.db, sha256Hex(key)))?.attribution ?? {};
  const scopes = [keyHash ?? "", teamId ?? ""];
  expect(await app.db.spendReservation.count({ where: { scopeId: { in: scopes } } })).toBe(0);
  expect(new Set(left.map(({ reservation }) => reservation)).size).toBe(left.length);
  limiterState.set(limiter);
  for (const name of [`api_key:${keyHash ?? ""}`, `team:${teamId ?? ""}`]) {
    for (let place = 0; place < parallel; place += 1) expect(await limiter.enter(name, parallel)).not.toBeNull();
  }
}

const both = [false, true];

for (const isStream of both) {
  test.each(Object.entries({ ...steps, ...(isStream ? streamSteps : {}) }))(
    `a ${isStream ? "stream" : "whole answer"} that fails at %s is one logged failure and holds nothing`,
    async (_step, fault) => {
      const ending = await run(isStream, fault);
      if (ending !== "answered") expect(ending.status).toBeGreaterThanOrEqual(500);
      expect(records.map(({ status }) => status)).toEqual(["failure"]);
      await expectNothingHeld();
    },
  );

  test(`a ${isStream ? "stream" : "whole answer"} whose record cannot be committed is not spent and holds nothing`, async () => {
    deliveryState.set({ ...delivery, append: () => Promise.reject(new Error("no disk")) });
    const ending = await run(isStream, () => undefined);
    expect(ending === "answered" ? 503 : ending.status).toBe(503);
    expect(noted.map(({ usd }) => usd)).toEqual([0]);
    await expectNothingHeld();
  });

  test(`a ${isStream ? "stream" : "whole answer"} is spent after its commit, and once`, async () => {
    let notedAtCommit = -1;
    const append: Delivery["append"] = async () => {
      await new Promise((resolve) => setImmediate(resolve));
      notedAtCommit = noted.length;
    };
    deliveryState.set({ ...delivery, append });
    expect(await run(isStream, () => undefined)).toBe("answered");
    expect([notedAtCommit, noted.length]).toEqual([0, 1]);
    expect(noted[0]?.usd).toBeGreaterThan(0);
    await expectNothingHeld();
  });
}

test("a stream whose client cannot be written to is logged once and holds nothing", async () => {
  await run(true, () => undefined, { write: () => thrown("write") });
  expect(records.map(({ clientDisconnected }) => clientDisconnected)).toEqual([true]);
  await expectNothingHeld();
});

test("a stream that ends early because its client left is logged as left, and not kept for others", async () => {
  const client = new AbortController();
  let kept = 0;
  const store = async (): Promise<void> => void (kept += 1);
  responseCacheState.set({ find: async () => null, store, close: () => undefined });
  const early = withCopy(() => ({ hasEnded: () => false }));
  const leave = (): boolean => {
    client.abort();
    return true;
  };
  const inFlight = { signal: client.signal, hold: () => () => undefined };
  await run(true, (call) => early(Object.assign(call, { inFlight })), { write: leave });
  await new Promise((resolve) => setTimeout(resolve));
  expect(records).toMatchObject([{ status: "success", clientDisconnected: true }]);
  expect(kept).toBe(0);
  await expectNothingHeld();
});

test("a failure after the upstream has answered costs what the upstream did", async () => {
  const readInput = steps["the making of the record"] ?? (() => undefined);
  await run(false, readInput);
  expect(records[0]?.responseCostUsd).toBeGreaterThan(0);
  expect(records[0]?.input).toEqual({ messages: [] });
  expect(noted.map(({ usd }) => usd > 0)).toEqual([true]);
});
