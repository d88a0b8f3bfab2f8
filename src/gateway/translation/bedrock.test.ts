import { beforeAll, expect, test } from "vitest";
import { findProvider } from "#gateway/providers/index.ts";
import { bedrockCases } from "#testing/vendors/bedrock-cases.ts";
import { sendChat, toDeployment, vendorServerOfFile } from "#testing/vendors/play-vendor.ts";
import { weatherTool } from "#testing/vendors/vendor-case.ts";

const server = vendorServerOfFile();
beforeAll(() => {
  server.answerWith({ status: 500, body: "{}" });
});

test("the account's keys sign the request and are not in it, nor are those of the environment", async () => {
  const environment = { ...process.env };
  process.env.AWS_BEARER_TOKEN_BEDROCK = "of-the-environment";
  process.env.AWS_SESSION_TOKEN = "of-the-environment";
  await sendChat(toDeployment(bedrockCases, server.url), {});
  process.env = environment;
  const { headers } = server.last() ?? {};
  expect(headers?.authorization).toMatch(
    /^AWS4-HMAC-SHA256 Credential=AKIAFIXTURE\/\d{8}\/us-east-1\/bedrock\/aws4_request, /,
  );
  expect(headers).not.toHaveProperty("x-amz-security-token");
  expect(JSON.stringify(server.last())).not.toMatch(/fixture-secret-access-key|of-the-environment/);
});

test("a session token and an API key are used where they are given", async () => {
  await sendChat(toDeployment(bedrockCases, server.url, { aws_session_token: "session" }), {});
  expect(server.last()?.headers).toMatchObject({ "x-amz-security-token": "session" });
  await sendChat(toDeployment(bedrockCases, server.url, { api_key: "bedrock-api-key" }), {});
  expect(server.last()?.headers).toMatchObject({ authorization: "Bearer bedrock-api-key" });
});

test("the address is the region's, and what is missing of an account is said at the start", () => {
  const locate = (vendorParams: Record<string, string>, apiKey: string | null = null): unknown =>
    findProvider("bedrock")?.locate?.({ apiKey, vendorParams, model: "m" });
  const keys = { aws_access_key_id: "a", aws_secret_access_key: "s" };
  const address = { apiBase: "https://bedrock-runtime.eu-west-1.amazonaws.com" };
  expect(locate({ aws_region_name: "eu-west-1", ...keys })).toEqual(address);
  expect(locate({ aws_region_name: "eu-west-1" }, "key")).toEqual(address);
  expect(JSON.stringify(locate(keys))).toContain("aws_region_name");
  expect(JSON.stringify(locate({ aws_region_name: "eu-west-1", aws_access_key_id: "a" }))).toContain("credentials");
  expect(JSON.stringify(locate({ aws_region_name: "x", aws_role_name: "r", ...keys }))).toContain("aws_role_name");
});

test.each([
  ["a budget to think with", { thinking: { type: "enabled", budget_tokens: 1024 } }, "thinking"],
  ["one tool at a time", { tools: [weatherTool], parallel_tool_calls: false }, "parallel_tool_calls"],
  [
    "a mark of the cache on a tool",
    { tools: [{ ...weatherTool, cache_control: { type: "ephemeral" } }] },
    "tools.0.cache_control",
  ],
])("a model that does not know %s is not asked for it", async (_what, request, param) => {
  const nova = toDeployment(bedrockCases, server.url, { model: "bedrock/us.amazon.nova-pro-v1:0" });
  await expect(sendChat(nova, request)).rejects.toMatchObject({ status: 400, param });
});
