import { expect, test } from "vitest";
import {
  booleanAttribute,
  doubleAttribute,
  integerAttribute,
  textAttribute,
  textsAttribute,
  toTraceExport,
  toUnixNano,
} from "#logging/destinations/otlp-json.ts";

test.each([
  [1_737_247_356_203.439, "1737247356203439000"],
  [1_763_688_569_123.457, "1763688569123457000"],
  [1_763_688_570_500, "1763688570500000000"],
  [0.001, "1000"],
  [0, "0"],
])("%f ms are %s ns, exact to the microsecond", (ms, nanoseconds) => {
  expect(toUnixNano(ms)).toBe(nanoseconds);
});

test("every kind of attribute has its own wrapper and integers are decimal strings", () => {
  expect([
    textAttribute("a", "x"),
    textsAttribute("b", ["x", "y"]),
    booleanAttribute("c", false),
    doubleAttribute("d", 3),
    integerAttribute("e", 2 ** 53),
  ]).toEqual([
    { key: "a", value: { stringValue: "x" } },
    { key: "b", value: { arrayValue: { values: [{ stringValue: "x" }, { stringValue: "y" }] } } },
    { key: "c", value: { boolValue: false } },
    { key: "d", value: { doubleValue: 3 } },
    { key: "e", value: { intValue: "9007199254740992" } },
  ]);
});

test("no spans are the empty export", () => {
  expect(JSON.parse(toTraceExport({ resource: [], scope: { name: "s", version: "1" } }, []))).toEqual({
    resourceSpans: [],
  });
});

test("all spans are under one resource and scope", () => {
  const source = { resource: [textAttribute("service.name", 'a "name"')], scope: { name: "s", version: "1" } };
  const spans = [{ name: "first" }, { name: "second" }];
  const texts = spans.map((span) => JSON.stringify(span));
  expect(JSON.parse(toTraceExport(source, texts))).toEqual({
    resourceSpans: [{ resource: { attributes: source.resource }, scopeSpans: [{ scope: source.scope, spans }] }],
  });
});
