import { expect, test } from "vitest";
import { changedFields } from "#app/(portal)/portal/(home)/audit/changed-fields.ts";

test("names what differs, at any depth, and leaves out what every write sets", () => {
  const before = { alias: "a", metadata: { logging: [{ x: 1 }], kept: true }, updated_at: "1" };
  const after = { alias: "b", metadata: { logging: [{ x: 2 }], kept: true }, updated_at: "2" };
  expect(changedFields(before, after)).toEqual([
    { path: "alias", before: "a", after: "b" },
    { path: "metadata.logging", before: '[{"x":1}]', after: '[{"x":2}]' },
  ]);
});

test("of a new and of a deleted row, what is empty is left out", () => {
  const row = { id: "1", limit: null, models: [], blocked: false };
  expect(changedFields(null, row)).toEqual([
    { path: "id", before: undefined, after: "1" },
    { path: "blocked", before: undefined, after: "false" },
  ]);
  expect(changedFields(row, undefined)).toEqual([
    { path: "id", before: "1", after: undefined },
    { path: "blocked", before: "false", after: undefined },
  ]);
});

test("a value that went or came is a change", () => {
  expect(changedFields({ redaction: null }, { redaction: "content" })).toEqual([
    { path: "redaction", before: undefined, after: "content" },
  ]);
});
