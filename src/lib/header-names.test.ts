import { expect, test } from "vitest";
import { hasHeaderLike, noteSentHeaders } from "#lib/header-names.ts";

test.each([
  [["Host", "langfuse.example", "X-Langfuse-Trace-Id", "1"], true],
  [["Host", "langfuse.example", "user-agent", "langfuse/1"], false],
  [[], false],
])("of %j a name says langfuse: %s", (raw, expected) => {
  const headers = new Headers();
  for (let index = 0; index < raw.length; index += 2) headers.append(raw[index] ?? "", raw[index + 1] ?? "");
  expect(hasHeaderLike(headers, "langfuse")).toBe(expected);
  noteSentHeaders(headers, raw);
  expect(hasHeaderLike(headers, "langfuse")).toBe(expected);
});
