import { expect, test } from "vitest";
import { letsThrough, type CallbackRules, type JudgedCall } from "#logging/callback-rules.ts";
import { newRecordId } from "#lib/id.ts";

const all: CallbackRules = { samplingRate: 1, keepsFailures: false, models: [], keys: [], statuses: [] };

function call(changes: Partial<JudgedCall> = {}): JudgedCall {
  return {
    recordId: newRecordId(),
    status: "success",
    model: "gpt-4o-2024-08-06",
    modelGroup: "smart",
    caller: { keyHash: "a".repeat(64), keyAlias: "ci" },
    ...changes,
  };
}

test("a sampling rate keeps its share, the same calls at every try, and failures where it is told to", () => {
  const calls = Array.from({ length: 4_000 }, () => call());
  const kept = calls.filter((one) => letsThrough({ ...all, samplingRate: 0.25 }, one));
  expect(kept.length).toBeGreaterThan(850);
  expect(kept.length).toBeLessThan(1_150);
  expect(calls.filter((one) => letsThrough({ ...all, samplingRate: 0.25 }, one))).toEqual(kept);
  expect(kept.every((one) => letsThrough({ ...all, samplingRate: 0.5 }, one))).toBe(true);
  expect(calls.some((one) => letsThrough({ ...all, samplingRate: 0 }, one))).toBe(false);
  const failed = calls.map((one): JudgedCall => ({ ...one, status: "failure" }));
  expect(failed.some((one) => letsThrough({ ...all, samplingRate: 0 }, one))).toBe(false);
  expect(failed.every((one) => letsThrough({ ...all, samplingRate: 0, keepsFailures: true }, one))).toBe(true);
});

test.each<[string, Partial<CallbackRules>, boolean]>([
  ["the public name", { models: ["smart"] }, true],
  ["the upstream name", { models: ["gpt-4o-2024-08-06"] }, true],
  ["the beginning of a name", { models: ["gpt-4*"] }, true],
  ["a beginning without its star", { models: ["gpt-4"] }, false],
  ["one of several models", { models: ["other", "smart"] }, true],
  ["another model", { models: ["other*"] }, false],
  ["an alias", { keys: ["ci"] }, true],
  ["a hash", { keys: ["a".repeat(64)] }, true],
  ["another key", { keys: ["prod"] }, false],
  ["its outcome", { statuses: ["success"] }, true],
  ["the other outcome", { statuses: ["failure"] }, false],
  ["key and not model", { keys: ["ci"], models: ["other"] }, false],
])("a filter on %s", (_, rules, expected) => {
  expect(letsThrough({ ...all, ...rules }, call())).toBe(expected);
});

test("what is not known yet lets a call through, and a call of no key is known to have none", () => {
  const early: JudgedCall = { recordId: newRecordId(), status: "success" };
  expect(letsThrough({ ...all, models: ["other"], keys: ["other"] }, early)).toBe(true);
  const keyless = call({ caller: { keyHash: null, keyAlias: null } });
  expect(letsThrough({ ...all, keys: ["ci"] }, keyless)).toBe(false);
});
