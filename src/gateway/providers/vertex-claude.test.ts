import { expect, test } from "vitest";
import type { Deployment } from "#gateway/models.ts";
import { messages } from "#gateway/operations/messages.ts";
import { findProvider } from "#gateway/providers/index.ts";
import { readText } from "#lib/fetch-upstream.ts";
import type { JsonObject } from "#logging/record.ts";
import { googleSignInOfFile } from "#testing/google-sign-in.ts";
import { begin, delta, end, message, start, stop } from "#testing/vendors/anthropic-wire.ts";
import { readChat, sendChat, toDeployment, vendorServerOfFile } from "#testing/vendors/play-vendor.ts";
import { toNamedEvents, weatherTool } from "#testing/vendors/vendor-case.ts";

const server = vendorServerOfFile();
const google = googleSignInOfFile();

const path = "/claude-sonnet-4-5@20250929";

function claude(): Deployment {
  const params = {
    ...{ model: "vertex_ai/claude-sonnet-4-5@20250929", vertex_project: "our-project", vertex_location: "global" },
    vertex_credentials: google.account.json,
  };
  return toDeployment({ params }, server.url);
}

const streamed = toNamedEvents([
  start,
  begin(0, { type: "text", text: "" }),
  delta(0, { type: "text_delta", text: "Hello" }),
  stop(0),
  ...end("end_turn", 15),
]);

test("a chat is translated, with the model in the path, the version in the body and a token", async () => {
  server.answerWith({ body: message([{ type: "text", text: "Hi" }]) });
  const { body } = await readChat(await sendChat(claude(), { max_tokens: 100, tools: [weatherTool] }));
  expect(body).toMatchObject({ choices: [{ message: { content: "Hi" }, finish_reason: "stop" }] });
  expect(server.last()).toMatchObject({
    path: `${path}:rawPredict`,
    body: { anthropic_version: "vertex-2023-10-16", max_tokens: 100, tools: [{ name: "get_weather" }] },
  });
  expect(server.last()?.body).not.toHaveProperty("model");
  expect(server.last()?.headers.authorization).toMatch(/^Bearer ya29\./);
  expect(server.last()?.headers).not.toHaveProperty("x-api-key");
});

test("a picture by address is refused before anything is sent", async () => {
  const before = server.last();
  const part = { type: "image_url", image_url: { url: "https://example.com/ant.jpg" } };
  const messagesOf = [{ role: "user", content: [part] }];
  await expect(sendChat(claude(), { messages: messagesOf })).rejects.toMatchObject({ status: 400 });
  expect(server.last()).toBe(before);
});

test.each([
  { how: "whole", more: {}, verb: ":rawPredict", answered: message([{ type: "text", text: "Hi" }]) },
  { how: "streamed", more: { stream: true }, verb: ":streamRawPredict", answered: streamed },
])("a message of Anthropic's API passes through byte for byte, $how", async ({ more, verb, answered }) => {
  server.answerWith({ body: answered });
  const deployment = claude();
  const request: JsonObject = { max_tokens: 5, messages: [{ role: "user", content: "hi" }], top_k: 5, ...more };
  const provider = findProvider(deployment.provider, deployment.upstreamModel);
  const answer = await provider?.send({
    ...{ deployment, operation: messages, form: null, timeoutMs: 5_000, totalTimeoutMs: 5_000 },
    body: { model: deployment.upstreamModel, ...request },
    headers: new Headers({ "anthropic-beta": "a-beta", "anthropic-version": "2023-06-01" }),
  });
  if (!answer) throw new Error("There is such a provider.");
  expect(await readText({ ...answer, headers: {} }, 100_000)).toBe(answered);
  expect(server.last()).toMatchObject({ path: `${path}${verb}`, headers: { "anthropic-beta": "a-beta" } });
  expect(server.last()?.body).toEqual({ anthropic_version: "vertex-2023-10-16", ...request });
});
