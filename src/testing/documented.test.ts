import { expect, test } from "vitest";
import { z } from "zod";
import { route } from "#http/route.ts";
import { assertDocumented } from "#testing/documented.ts";

const Answer = z.object({ name: z.string(), inner: z.object({ count: z.number() }).meta({ id: "TestInner" }) });
const made = route(
  {
    auth: "key",
    class: "read",
    describe: { summary: "Test", tag: "Operations", answer: Answer, refusals: { "4XX": "Refused." } },
  },
  async () => ({ name: "a", inner: { count: 1 } }),
);
const contentType = "application/json; charset=utf-8";
const judge =
  (status: number, body: unknown, type = contentType) =>
  (): void => {
    assertDocumented(made, { status, contentType: type, body });
  };

test("takes the answers that a route describes, ranges of statuses included", () => {
  expect(judge(200, { name: "a", inner: { count: 1 } })).not.toThrow();
  expect(judge(418, { error: { message: "m", type: "t", param: null, code: "418" } })).not.toThrow();
});

test("refuses a missing field, another type, a field that is not described, and an unknown status or content type", () => {
  expect(judge(200, { inner: { count: 1 } })).toThrow("name");
  expect(judge(200, { name: 1, inner: { count: 1 } })).toThrow("/name must be string");
  expect(judge(200, { name: "a", inner: { count: 1, more: 1 } })).toThrow("more");
  expect(judge(201, {})).toThrow("does not describe the status 201");
  expect(judge(200, "text", "text/plain")).toThrow("does not describe text/plain");
  expect(judge(401, { detail: "no" })).toThrow("error");
});
