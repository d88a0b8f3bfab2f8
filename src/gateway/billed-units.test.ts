import { expect, test } from "vitest";
import { foreseeUnits, noUnits, readUnits, type BilledUnits } from "#gateway/billed-units.ts";
import type { OperationName } from "#gateway/operation.ts";
import type { JsonObject } from "#logging/record.ts";

const seconds = 2;

test.each<[string, { operation: OperationName; body?: JsonObject; response: JsonObject | null }, Partial<BilledUnits>]>(
  [
    [
      "pictures by those that came",
      { operation: "image", body: { n: 4 }, response: { data: [{}, {}] } },
      { images: 2 },
    ],
    [
      "a streamed picture once",
      { operation: "image", response: { type: "image_generation.completed", b64_json: "x" } },
      { images: 1 },
    ],
    [
      "no picture of a stream that broke off",
      { operation: "image", response: { type: "image_generation.partial_image" } },
      { images: 0 },
    ],
    ["edited pictures", { operation: "image_edit", body: { n: "2" }, response: { data: [{}] } }, { images: 1 }],
    [
      "speech by its characters, not by its bytes",
      { operation: "speech", body: { input: "é👍a" }, response: { object: "file" } },
      { characters: 3 },
    ],
    [
      "a recording by the seconds that the upstream bills",
      {
        operation: "transcription",
        response: { text: "a", duration: 8.47, usage: { type: "duration", seconds: 9 } },
      },
      { audioSeconds: 9, callSeconds: null },
    ],
    [
      "a recording by its length",
      { operation: "translation", response: { duration: "8.5" } },
      { audioSeconds: 8.5, callSeconds: null },
    ],
    [
      "a recording of unknown length",
      { operation: "transcription", response: { text: "a" } },
      { audioSeconds: 0, callSeconds: null },
    ],
    [
      "a rerank by its search units",
      { operation: "rerank", response: { meta: { billed_units: { search_units: 3 } } } },
      { queries: 3 },
    ],
    ["a rerank that names none as one", { operation: "rerank", response: { results: [] } }, { queries: 1 }],
    ["a chat by nothing but its time", { operation: "chat", body: { n: 3 }, response: { choices: [] } }, {}],
    ["nothing that did not come", { operation: "image", body: { n: 4 }, response: null }, {}],
  ],
)("bills %s", (_name, { operation, body = {}, response }, units) => {
  expect(readUnits({ operation, body, response, seconds })).toEqual({ ...noUnits, callSeconds: seconds, ...units });
});

test.each<[OperationName, JsonObject, Partial<BilledUnits>]>([
  ["image", { n: 4 }, { images: 4 }],
  ["image_edit", { n: "2" }, { images: 2 }],
  ["image", {}, { images: 1 }],
  ["speech", { input: "four" }, { characters: 4 }],
  ["rerank", {}, { queries: 1 }],
  ["transcription", {}, {}],
])("foresees of %s %j %j", (operation, body, units) => {
  expect(foreseeUnits(operation, body)).toEqual({ ...noUnits, ...units });
});
