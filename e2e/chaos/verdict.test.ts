import { describe, expect, test } from "vitest";
import type { Arrival } from "./arrivals.ts";
import type { Call, Phase, ProcessNote } from "./ledger.ts";
import { makeRandom } from "./random.ts";
import { judgeRun, type Facts } from "./verdict.ts";

/** A check that cannot fail is no check: each promise is broken once here, and the verdict must say so. */

const answered: Call = {
  callId: "call-1",
  mark: "mark-abc-1",
  kind: "chat",
  gateway: 0,
  key: "steady",
  team: "steady",
  startedAtMs: 1_000,
  endedAtMs: 2_000,
  outcome: "answered",
  status: 200,
  receipt: "webhook=queued; id=0a-1",
  recordId: "0a-1",
  costUsd: 0.5,
  error: "",
  isWhole: true,
};
const arrived: Arrival = {
  destination: "steady",
  recordId: "0a-1",
  callId: "call-1",
  team: "steady",
  keyHash: "hash",
  costUsd: 0.5,
  status: "success",
  inputMarks: ["mark-abc-1", "mark-abc-1.end"],
  outputMarks: ["mark-abc-1", "mark-abc-1.end"],
  atMs: 2_500,
};
const from = (destination: string | null, sentAtMs: number): Phase => ({
  destination,
  sentAtMs,
  confirmedAtMs: sentAtMs + 100,
});
const happened = (event: ProcessNote["event"], changes: Partial<ProcessNote> = {}): ProcessNote => ({
  ...{ gateway: 0, atMs: 1_500, event, code: null, isDiskFull: false, text: "" },
  ...changes,
});
const keyFact = { name: "steady", hash: "hash", team: "steady", user: "user", ownDestination: null };

const row = { recordId: "0a-1", callId: "call-1", team: "steady", state: 1 };
const probed = { key: "steady", gateway: 0, limit: 3, admitted: 3, isNextRefused: true };

/** A run with one call, in which every promise held. */
const well: Facts = {
  calls: [answered],
  phases: new Map([["steady", [from("steady", 0)]]]),
  processes: [happened("killed"), happened("ready"), happened("terminated", { code: 0 })],
  fullDisks: [],
  keys: [keyFact],
  globalDestination: "files",
  arrivals: [arrived],
  spends: [
    { scope: "key", name: "steady", usd: 0.5 },
    { scope: "team", name: "steady", usd: 0.5 },
    { scope: "user", name: "user", usd: 0.5 },
  ],
  reservations: [],
  probes: [probed],
  rows: [row],
  leaks: [],
};
const unkilled: Facts = { ...well, processes: [] };

/** The team's logging was disabled from 5 s to 9 s. */
const switched: Facts = {
  ...well,
  phases: new Map([["steady", [from("steady", 0), from(null, 5_000), from("steady", 9_000)]]]),
};
const whileDisabled = { ...answered, receipt: "disabled", recordId: null, startedAtMs: 6_000, endedAtMs: 7_000 };
const nowhere = { arrivals: [], spends: [], rows: [] };
const promises = (facts: Facts): string[] => [...new Set(judgeRun(facts).map(({ promise }) => promise))].toSorted();

test("a run in which every promise held has no violation", () => {
  expect(promises(well)).toEqual([]);
  expect(promises(unkilled)).toEqual([]);
});

describe("a violation is found:", () => {
  test.each<[string, Facts, string]>([
    ["an answered call that is nowhere", { ...well, ...nowhere }, "logged exactly once"],
    [
      "a stream that its client left, and that is nowhere although nobody was killed",
      { ...unkilled, ...nowhere, calls: [{ ...answered, outcome: "left" }] },
      "logged exactly once",
    ],
    [
      "a call that is logged under two record ids",
      { ...well, arrivals: [arrived, { ...arrived, recordId: "0a-2", costUsd: 0 }] },
      "logged at most once",
    ],
    [
      "a call at two destinations",
      { ...well, arrivals: [arrived, { ...arrived, destination: "files", costUsd: 0 }] },
      "logged at the right destination",
    ],
    [
      "a call at another team's destination",
      { ...well, arrivals: [{ ...arrived, destination: "plain" }] },
      "logged at the right destination",
    ],
    [
      "a record of a call that nobody made",
      { ...well, arrivals: [arrived, { ...arrived, callId: "call-9", costUsd: 0 }] },
      "no record without a call",
    ],
    [
      "a record with another id than the receipt",
      { ...well, arrivals: [{ ...arrived, recordId: "0a-9" }] },
      "logged with its content",
    ],
    [
      "a record with the content of another call",
      { ...well, arrivals: [{ ...arrived, inputMarks: ["mark-abc-2"] }] },
      "logged with its content",
    ],
    [
      "a record without the end of the prompt",
      { ...well, arrivals: [{ ...arrived, inputMarks: ["mark-abc-1"] }] },
      "logged with its content",
    ],
    [
      "a record without the answer",
      { ...well, arrivals: [{ ...arrived, outputMarks: [] }] },
      "logged with its content",
    ],
    [
      "an answered call that is logged as failed",
      { ...well, arrivals: [{ ...arrived, status: "failure" }] },
      "logged with its content",
    ],
    [
      "a record with another cost than the answer",
      { ...well, spends: [], arrivals: [{ ...arrived, costUsd: 0.4 }] },
      "logged with its content",
    ],
    [
      "an answer to another prompt",
      { ...well, calls: [{ ...answered, isWhole: false }] },
      "answered with its own answer",
    ],
    [
      "an answer that is a fault of ours",
      { ...well, calls: [{ ...answered, status: 500, error: "Internal Server Error, request id 1" }] },
      "no fault of ours in an answer",
    ],
    [
      "an answer without a receipt",
      { ...well, calls: [{ ...answered, receipt: "none", recordId: null }] },
      "answered with a receipt",
    ],
    [
      "a record of a call that was made while the team was disabled",
      { ...switched, calls: [whileDisabled], arrivals: [{ ...arrived, atMs: 9_500 }], rows: [] },
      "nothing of a disabled team",
    ],
    [
      "such a record at the global destination",
      { ...switched, calls: [whileDisabled], arrivals: [{ ...arrived, destination: "files", atMs: null }], rows: [] },
      "nothing of a disabled team",
    ],
    [
      "an older record that arrives while the team is disabled",
      { ...switched, arrivals: [{ ...arrived, atMs: 7_000 }] },
      "nothing of a disabled team",
    ],
    [
      "a row of a call that was made while the team was disabled",
      { ...switched, ...nowhere, rows: well.rows, calls: [whileDisabled] },
      "nothing of a disabled team",
    ],
    [
      "any row of a team that is disabled in the end",
      { ...well, phases: new Map([["steady", [from("steady", 0), from(null, 5_000)]]]) },
      "nothing of a disabled team",
    ],
    [
      "a record that still waits in the end",
      { ...well, rows: [{ ...row, state: 0 }] },
      "everything is delivered once faults stop",
    ],
    ["a dead letter", { ...well, rows: [{ ...row, state: 2 }] }, "nothing becomes a dead letter"],
    [
      "less spend than what was answered",
      { ...well, spends: [{ scope: "team", name: "steady", usd: 0.4 }] },
      "spend is at least what was answered",
    ],
    [
      "more spend than what was logged",
      { ...well, spends: [{ scope: "user", name: "user", usd: 0.6 }] },
      "spend is at most what was logged",
    ],
    [
      "less spend than what was logged of calls that were left, if nobody was killed",
      { ...unkilled, calls: [{ ...answered, outcome: "left" }], spends: [{ scope: "key", name: "steady", usd: 0 }] },
      "spend is at least what was answered",
    ],
    [
      "a reservation that is left without a kill",
      { ...unkilled, reservations: [{ recordId: "0a-7", sinceMs: 1_000 }] },
      "nothing is left in budgets",
    ],
    [
      "a reservation that was made after the last kill",
      { ...well, reservations: [{ recordId: "0a-7", sinceMs: 60_000 }] },
      "nothing is left in budgets",
    ],
    [
      "a place that was never given back",
      { ...well, probes: [{ ...probed, admitted: 2 }] },
      "nothing is left in limiters",
    ],
    [
      "a limit that does not hold any more",
      { ...well, probes: [{ ...probed, isNextRefused: false }] },
      "nothing is left in limiters",
    ],
    [
      "a process that ends by itself",
      { ...well, processes: [happened("ended by itself", { code: 1 })] },
      "no process ends by itself",
    ],
    [
      "a process that does not become ready",
      { ...well, processes: [happened("not ready")] },
      "every process becomes ready again",
    ],
    [
      "a SIGTERM that ends with 1",
      { ...unkilled, processes: [happened("terminated", { code: 1 })] },
      "SIGTERM ends with 0",
    ],
    [
      "a SIGTERM with a full disk that does not say how many records are missing",
      { ...unkilled, processes: [happened("terminated", { code: 1, isDiskFull: true })] },
      "SIGTERM ends with 0",
    ],
    [
      "a secret in a log",
      { ...well, leaks: [{ where: "the log of gateway 0", what: "sk-chaos…" }] },
      "no secret and no prompt in our own files and logs",
    ],
  ])("%s", (_, facts, promise) => {
    expect(promises(facts)).toContain(promise);
  });
});

describe("what was never promised is no violation:", () => {
  test.each<[string, Facts]>([
    [
      "a call that broke without a receipt",
      { ...well, ...nowhere, calls: [{ ...answered, outcome: "broken", status: 0, receipt: null, recordId: null }] },
    ],
    [
      "a stream that a kill cut before its commit",
      { ...well, ...nowhere, calls: [{ ...answered, outcome: "broken" }] },
    ],
    [
      "a stream that a full disk cut",
      {
        ...unkilled,
        ...nowhere,
        calls: [{ ...answered, outcome: "cut" }],
        fullDisks: [{ gateway: 0, fromMs: 500, untilMs: 1_500 }],
      },
    ],
    ["a call that a later disable took out of the queue", { ...switched, ...nowhere }],
    [
      "a call that was made while the team was disabled, and is nowhere",
      { ...switched, ...nowhere, calls: [whileDisabled] },
    ],
    [
      "spend for calls of a team that was disabled for a while",
      { ...switched, spends: [{ scope: "key", name: "steady", usd: 9 }] },
    ],
    ["a reservation of a process that was killed", { ...well, reservations: [{ recordId: "0a-7", sinceMs: 1_000 }] }],
    [
      "a SIGTERM with a full disk that says how many records are missing",
      {
        ...unkilled,
        processes: [
          happened("terminated", { code: 1, isDiskFull: true, text: "stopped, and 3 calls could not be committed" }),
        ],
      },
    ],
  ])("%s", (_, facts) => {
    expect(promises(facts)).toEqual([]);
  });
});

test("the same seed gives the same numbers, and a branch does not disturb them", () => {
  const draw = (seed: number) => {
    const random = makeRandom(seed);
    const first = random.next();
    random.branch("aside").next();
    return [first, random.between(5, 6), random.pick(["a", "b", "c"]), random.branch("aside").next()];
  };
  expect(draw(7)).toEqual(draw(7));
  expect(draw(7)).not.toEqual(draw(8));
});
