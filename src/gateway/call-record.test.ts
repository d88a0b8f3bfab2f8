import { expect, test } from "vitest";
import { costOf } from "#gateway/call-cost.ts";
import { shownApiBase, startCall, toCallRecord } from "#gateway/call-record.ts";
import { chat } from "#gateway/operations/chat.ts";
import { readPrices } from "#gateway/prices.ts";
import { toUsage } from "#gateway/usage.ts";
import type { CallEnd } from "#gateway/call-record.ts";
import type { Deployment } from "#gateway/models.ts";
import { strangerCaller } from "#keys/caller.ts";
import { noUsage, type JsonObject } from "#logging/record.ts";

const deployment: Deployment = {
  id: "d1",
  modelName: "gpt-4o",
  provider: "openai",
  upstreamModel: "gpt-4o-2024",
  apiBase: "https://user:canary@api.example.com/v1?key=canary",
  apiKey: "sk-canary",
  apiVersion: null,
  mockResponse: null,
  wholeStreamTimeoutMs: undefined,
  weight: null,
  dropsParams: false,
  vendorParams: {},
  rpm: null,
  tpm: null,
  timeoutMs: 1,
  streamTimeoutMs: 1,
  prices: readPrices({
    model_name: "gpt-4o",
    litellm_params: { model: "openai/gpt-4o-2024", input_cost_per_token: 0.001 },
    model_info: { output_cost_per_token: 0.01 },
  }),
  priceModel: "m",
  defaults: {},
};

const end: CallEnd = {
  deployment,
  response: { id: "chatcmpl-1" },
  usage: { ...noUsage, promptTokens: 10, completionTokens: 5, totalTokens: 15 },
  error: null,
  completionStartTimeMs: null,
  clientDisconnected: false,
};

function record(body: JsonObject, changes: Partial<CallEnd> = {}, isClients = false) {
  const start = startCall({
    callId: "call-1",
    callIdIsClients: isClients,
    operation: chat,
    route: "/v1/chat/completions",
    caller: strangerCaller,
    body: { model: "gpt-4o", messages: [], ...body },
    headers: new Headers({ "user-agent": "curl/8", authorization: "Bearer canary", cookie: "canary" }),
  });
  return toCallRecord(start, { ...end, ...changes });
}

test.each<[JsonObject | undefined | string, Partial<typeof noUsage>]>([
  [undefined, {}],
  ["text", {}],
  [{}, {}],
  [
    { prompt_tokens: 3, completion_tokens: 4, total_tokens: 9 },
    { promptTokens: 3, completionTokens: 4, totalTokens: 9 },
  ],
  [
    { prompt_tokens: 3, completion_tokens: 4 },
    { promptTokens: 3, completionTokens: 4, totalTokens: 7 },
  ],
  [{ prompt_tokens: "3", completion_tokens: -1, total_tokens: null }, {}],
  [
    {
      prompt_tokens: 8,
      completion_tokens: 6,
      total_tokens: 14,
      prompt_tokens_details: { cached_tokens: 2 },
      completion_tokens_details: { reasoning_tokens: 5 },
    },
    { promptTokens: 8, completionTokens: 6, totalTokens: 14, cacheReadTokens: 2, reasoningTokens: 5 },
  ],
  [
    { prompt_tokens: 1, prompt_tokens_details: null },
    { promptTokens: 1, totalTokens: 1 },
  ],
])("the usage %j is counted as %j", (usage, expected) => {
  expect(toUsage(usage)).toEqual({ ...noUsage, ...expected });
});

test("cost is tokens times the deployment's prices, and 0 without a deployment or on failure", () => {
  expect(costOf(end.usage, deployment)).toBeCloseTo(0.06);
  expect(costOf(end.usage, null)).toBe(0);
  const error = { code: "500", class: "InternalServerError", message: "broken" };
  expect(record({}, { error })).toMatchObject({ status: "failure", responseCostUsd: 0, usage: end.usage });
  expect(record({}).responseCostUsd).toBeCloseTo(0.06);
});

test("the record id is the call's, unless the client chose that", () => {
  expect(record({})).toMatchObject({ recordId: "call-1", callId: "call-1" });
  const clients = record({}, {}, true);
  expect(clients).toMatchObject({ callId: "call-1", callIdIsClients: true });
  expect(clients.recordId).toMatch(/^[0-9a-f-]{36}$/);
});

test("no header, no credential and no unknown field of the body gets into a record", () => {
  const made = record({
    api_key: "canary",
    langfuse_secret: "canary",
    something: "canary",
    metadata: { api_key: "canary" },
  });
  expect(JSON.stringify(made)).not.toContain("canary");
});

test("shown parameters are an allow-list", () => {
  expect(record({ temperature: 0, stop: ["x"], user: "u", extra: 1 }).modelParameters).toEqual({
    temperature: 0,
    stop: ["x"],
  });
});

test("names, times and the end user", () => {
  const made = record({ user: "u1", stream: true }, { completionStartTimeMs: 7, clientDisconnected: true });
  expect(made).toMatchObject({
    endUser: "u1",
    stream: true,
    completionStartTimeMs: 7,
    clientDisconnected: true,
    model: "gpt-4o-2024",
    modelGroup: "gpt-4o",
    provider: "openai",
    responseId: "chatcmpl-1",
  });
  expect(record({ user: 5 }, { deployment: null, response: null })).toMatchObject({
    endUser: null,
    model: "gpt-4o",
    provider: null,
    apiBase: null,
    responseId: null,
  });
});

test("the base URL is shown without sign-in, query and fragment", () => {
  expect(shownApiBase(deployment)).toBe("https://api.example.com/v1");
  expect(shownApiBase({ ...deployment, apiBase: "http://127.0.0.1:8080/a@b" })).toBe("http://127.0.0.1:8080/a@b");
  expect(shownApiBase(null)).toBeNull();
});
