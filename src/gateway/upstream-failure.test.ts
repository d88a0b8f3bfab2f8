import { describe, expect, test } from "vitest";
import type { Deployment } from "#gateway/models.ts";
import { ofErrorFrame, ofRefusal, ofStatus, ofThrown } from "#gateway/upstream-failure.ts";
import { AppError } from "#lib/errors.ts";
import { toUpstreamError } from "#lib/fetch-failure.ts";

const deployment: Deployment = {
  id: "d1",
  modelName: "m",
  provider: "openai",
  upstreamModel: "m",
  apiBase: "https://api.example.com/v1",
  apiKey: "sk-upstream-canary",
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
  prices: null,
  priceModel: "m",
  defaults: {},
};

function status(code: number, text: string) {
  return ofStatus(deployment, { status: code, text, retryAfter: null });
}

test.each([
  [400, "BadRequestError"],
  [401, "AuthenticationError"],
  [403, "PermissionDeniedError"],
  [404, "NotFoundError"],
  [408, "Timeout"],
  [413, "BadRequestError"],
  [418, "APIError"],
  [422, "UnprocessableEntityError"],
  [429, "RateLimitError"],
  [500, "InternalServerError"],
  [503, "ServiceUnavailableError"],
  [529, "InternalServerError"],
])("an upstream's %d passes with its status as %s, in words that clients look for", (code, className) => {
  const { error, logged } = status(code, '{"error":{"message":"no","type":"its_type","param":"p","code":"c"}}');
  expect(error).toMatchObject({ status: code, type: "its_type", param: "p" });
  expect(error.message).toBe(`litellm.${className}: ${className}: OpenAIException - no`);
  expect(logged).toEqual({ code: String(code), class: className, message: error.message });
});

test.each([
  ["plain words", "plain words"],
  ["<html>bad gateway</html>", "<html>bad gateway</html>"],
  ["", "The upstream gave no reason."],
  ['{"message":"top"}', "top"],
  ['{"error":"just text"}', "just text"],
  ['{"error":{"message":5}}', '{"error":{"message":5}}'],
  ['{"detail":[1]}', '{"detail":[1]}'],
  ['{"detail":"Unauthorized"}', "Unauthorized"],
  ['[{"error":{"code":500,"message":"of Google","status":"INTERNAL"}}]', "of Google"],
  ["[1]", "[1]"],
  ["null", "null"],
  ["x".repeat(5_000), "x".repeat(2_000)],
])("the body %j is told", (text, said) => {
  expect(status(500, text).error.message).toBe(
    `litellm.InternalServerError: InternalServerError: OpenAIException - ${said}`,
  );
});

test("a redirect or an odd status is a bad gateway", () => {
  expect(status(302, "").error.status).toBe(502);
  expect(status(101, "").logged.class).toBe("BadGatewayError");
});

test("the operator's key is never told, whoever echoes it", () => {
  const { error, logged } = status(401, '{"error":{"message":"Incorrect API key: sk-upstream-canary"}}');
  const thrown = ofThrown(deployment, toUpstreamError("refused_by_guard", "host", "sk-upstream-canary"));
  expect(error.message + logged.message + thrown.error.message).not.toContain("canary");
});

test("retry-after is kept", () => {
  expect(ofStatus(deployment, { status: 429, text: "", retryAfter: "7" }).retryAfter).toBe("7");
});

describe("without an answer", () => {
  test("a timeout is 408", () => {
    const { error, logged } = ofThrown(deployment, toUpstreamError("timeout_headers", "api.example.com", ""));
    expect(error).toMatchObject({ status: 408 });
    expect(logged).toMatchObject({ code: "408", class: "Timeout" });
    expect(error.message).toMatch(/^litellm\.Timeout: Timeout: OpenAIException - /);
  });

  test("a broken connection is 500", () => {
    const { error, logged } = ofThrown(deployment, toUpstreamError("closed", "api.example.com", "ECONNRESET"));
    expect(error).toMatchObject({ status: 500 });
    expect(logged).toMatchObject({ code: "500", class: "APIConnectionError" });
  });

  test("a bug shows none of its words", () => {
    expect(ofThrown(deployment, new Error("secret detail")).error.message).not.toContain("secret detail");
  });
});

test.each([
  ['{"error":{"message":"slow down","code":429}}', 429, "RateLimitError"],
  ['{"error":{"message":"slow down","code":"503"}}', 503, "ServiceUnavailableError"],
  ['{"error":{"message":"slow down","code":"overloaded"}}', 500, "InternalServerError"],
  ['{"error":{"message":"slow down","code":200}}', 500, "InternalServerError"],
  ['{"error":{"message":"slow down"}}', 500, "InternalServerError"],
])("the error frame %s counts as %d", (text, code, className) => {
  expect(ofErrorFrame(deployment, text).logged).toEqual({
    code: String(code),
    class: className,
    message: `litellm.${className}: ${className}: OpenAIException - slow down`,
  });
});

test("a refusal of our own is recorded with its status", () => {
  expect(ofRefusal(new AppError("forbidden", "no"))).toEqual({
    code: "403",
    class: "PermissionDeniedError",
    message: "no",
  });
});
