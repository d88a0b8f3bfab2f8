import { expect, test } from "vitest";
import { toChanges, toEntries } from "#app/(portal)/portal/(home)/teams/[teamId]/keys/[token]/key-changes.ts";

const key = {
  ...{ key_alias: "crawler", models: ["fast", "wise"], max_budget: 5, budget_duration: "30d" },
  ...{ rpm_limit: null, tpm_limit: null, max_parallel_requests: null },
};

test("what was not changed is not written again", () => {
  const first = toEntries(key);
  expect(toChanges(first, first)).toEqual({});
  expect(toChanges(first, { ...first, rpm_limit: "60", models: "fast, wise " })).toEqual({ rpm_limit: 60 });
});

test("a key without a name gets limits without getting a name", () => {
  const first = toEntries({ ...key, key_alias: null });
  expect(toChanges(first, { ...first, rpm_limit: "60" })).toEqual({ rpm_limit: 60 });
  expect(toChanges(first, { ...first, key_alias: "crawler " })).toEqual({ key_alias: "crawler" });
});

test("an emptied field takes its limit away, and a zero is a limit", () => {
  const first = toEntries(key);
  const emptied = { ...first, models: " ,", max_budget: "", budget_duration: "", duration: "", tpm_limit: "0" };
  expect(toChanges(first, emptied)).toEqual({
    ...{ models: [], max_budget: null, budget_duration: null, duration: null, tpm_limit: 0 },
  });
});
