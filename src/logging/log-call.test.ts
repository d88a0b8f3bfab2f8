import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { configState, parseConfig } from "#lib/config.ts";
import { deliveryState } from "#logging/delivery.ts";
import { logCall, toReceipt } from "#logging/log-call.ts";
import type { LogPlan, PlannedTarget } from "#logging/log-plan.ts";
import type { QueueEntry } from "#logging/queue/queue.ts";
import { decodeRecord } from "#logging/queued-record.ts";
import { makeRecord } from "#testing/make-record.ts";

const entries: QueueEntry[] = [];
const disabled = new Set<string>();

beforeAll(() => {
  deliveryState.set({
    append: async (entry) => void entries.push(entry),
    disableTeam: async () => 0,
    enableTeam: async () => undefined,
    isDisabled: (teamId) => disabled.has(teamId),
    disabledTeamIds: () => [...disabled],
    purgeTeam: async () => 0,
    suppressCallback: async () => 0,
    forgetCallbacks: () => undefined,
    extendLease: () => undefined,
    find: async () => [],
    list: async () => ({ rows: [], next: null }),
    revise: async () => 0,
    backfill: async () => ({ queued: 0, skipped: 0, next: null }),
    health: async () => [],
    counts: async () => [],
    sizes: async () => [],
    unopened: async () => [],
    hurry: () => undefined,
    stop: async () => undefined,
  });
});

afterAll(() => {
  deliveryState.clear();
});

beforeEach(() => {
  entries.length = 0;
  disabled.clear();
  configure("{}");
});

function configure(yaml: string): void {
  configState.set(parseConfig(yaml, "config.yaml", {}).config);
}

function target(callbackId: string, changes: Partial<PlannedTarget> = {}): PlannedTarget {
  return { callbackId, callbackName: "langfuse", firesOn: "success_and_failure", redaction: "off", ...changes };
}

function plan(...targets: PlannedTarget[]): LogPlan {
  return { targets, reason: targets.length === 0 ? "none" : null, mustLog: false };
}

function queued(): { callbackIds: readonly string[]; text: string; liftedFrom: string | null }[] {
  return entries.flatMap((entry) =>
    entry.contents.map(({ body, callbackIds }) => {
      const { record, liftedFrom } = decodeRecord(body);
      return { callbackIds, text: JSON.stringify(record), liftedFrom };
    }),
  );
}

test("content is kept once per redaction, for the callbacks that get it, and redacted before it is kept", async () => {
  const targets = [
    target("a"),
    target("b", { redaction: "content" }),
    target("c"),
    target("d", { liftedFrom: "content" }),
  ];
  expect(await logCall(plan(...targets), makeRecord())).toHaveLength(4);
  const contents = queued();
  expect(contents.map(({ callbackIds, liftedFrom }) => [callbackIds, liftedFrom])).toEqual([
    [["a", "c"], null],
    [["b"], null],
    [["d"], "content"],
  ]);
  expect(contents.map(({ text }) => text.includes("Hello!"))).toEqual([true, false, true]);
});

test("content is kept once per set of classes that go", async () => {
  const targets = [
    target("a"),
    target("b", { redactClasses: ["messages"] }),
    target("c", { redactClasses: ["messages"] }),
    target("d", { redactClasses: ["messages", "tags"] }),
  ];
  await logCall(plan(...targets), makeRecord());
  expect(
    queued().map(({ callbackIds, text }) => [callbackIds, text.includes("Hello!"), text.includes("tag-1")]),
  ).toEqual([
    [["a"], true, true],
    [["b", "c"], false, true],
    [["d"], false, false],
  ]);
});

test("a call that sampling or a filter leaves out is neither kept nor promised", async () => {
  const rules = { samplingRate: 1, keepsFailures: false, models: [], keys: [], statuses: [] };
  const targets = plan(
    target("sampled", { rules: { ...rules, samplingRate: 0 } }),
    target("other-model", { rules: { ...rules, models: ["other*"] } }),
    target("fits", { callbackName: "otel", rules: { ...rules, models: ["gpt-4*"], keys: ["my-key"] } }),
  );
  expect(await logCall(targets, makeRecord())).toEqual(["otel"]);
  expect(queued().map(({ callbackIds }) => callbackIds)).toEqual([["fits"]]);
  expect(toReceipt(targets, "queued", makeRecord())).toMatch(/^otel=queued; id=/);
  expect(toReceipt(targets, "queued", makeRecord({ model: "x", modelGroup: "y" }))).toBe("none");
});

test("callbacks get the outcomes that they fire on", async () => {
  const both = plan(target("s", { firesOn: "success" }), target("f", { firesOn: "failure" }));
  await logCall(both, makeRecord());
  await logCall(both, makeRecord({ status: "failure", error: { code: "500", class: "x", message: "y" } }));
  expect(queued().map(({ callbackIds }) => callbackIds)).toEqual([["s"], ["f"]]);
  expect(await logCall(plan(target("f", { firesOn: "failure" })), makeRecord())).toEqual([]);
});

test("a team that was disabled during the call leaves nothing", async () => {
  disabled.add("team-1");
  expect(await logCall(plan(target("a")), makeRecord())).toEqual([]);
  expect(entries).toEqual([]);
});

test("nothing of key, user and team is exported where config.yaml says so, and the queue still knows whose it is", async () => {
  configure("litellm_settings: {redact_user_api_key_info: true}");
  const record = makeRecord();
  await logCall(plan(target("a")), record);
  const [content] = queued();
  for (const value of ["team-1", "Team One", "my-key", '"user-1"', "keyBudget", record.caller.keyHash ?? ""])
    expect(content?.text).not.toContain(value);
  expect(entries).toMatchObject([{ teamId: "team-1", keyHash: record.caller.keyHash, createdAtMs: 1_763_688_569_123 }]);
});

test("receipts name the callbacks and the record, or say why there is none", () => {
  const record = { recordId: "r1", status: "success" } as const;
  const two = plan(target("a"), target("b", { callbackName: "otel", firesOn: "success" }));
  expect(toReceipt(two, "queued", record)).toBe("langfuse=queued, otel=queued; id=r1");
  expect(toReceipt(two, "pending", { ...record, status: "failure" })).toBe("langfuse=pending; id=r1");
  expect(toReceipt({ ...two, mustLog: true }, "queued", record)).toContain("; must-log");
  expect(toReceipt(plan(target("a", { firesOn: "failure" })), "queued", record)).toBe("none");
  for (const reason of ["disabled", "no-log", "none"] as const) {
    expect(toReceipt({ targets: [], reason, mustLog: false }, "queued", record)).toBe(reason);
  }
});
