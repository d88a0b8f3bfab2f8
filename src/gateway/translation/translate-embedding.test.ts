import { expect, test } from "vitest";
import type { Deployment } from "#gateway/models.ts";
import { embedding } from "#gateway/operations/embedding.ts";
import { findProvider } from "#gateway/providers/index.ts";
import { readText } from "#lib/fetch-upstream.ts";
import type { JsonObject } from "#logging/record.ts";
import { bedrockCases } from "#testing/vendors/bedrock-cases.ts";
import { toDeployment, vendorServerOfFile } from "#testing/vendors/play-vendor.ts";

const server = vendorServerOfFile();

const titan = "amazon.titan-embed-text-v2:0";
const cohere = "cohere.embed-english-v3";

async function embed(
  model: string,
  request: JsonObject,
  more: JsonObject = {},
): Promise<{ status: number; body: unknown; dropped: readonly string[] | undefined }> {
  const deployment: Deployment = toDeployment(bedrockCases, server.url, { model: `bedrock/${model}`, ...more });
  const answer = await findProvider("bedrock")?.send({
    ...{
      deployment,
      operation: embedding,
      form: null,
      headers: new Headers(),
      timeoutMs: 5_000,
      totalTimeoutMs: 5_000,
    },
    body: { model, ...request },
  });
  if (!answer) throw new Error("There is such a provider.");
  const body: unknown = JSON.parse(await readText({ ...answer, headers: {} }, 1_000_000));
  return { status: answer.status, body, dropped: answer.dropped };
}

// https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html
test("Titan is asked once for each text", async () => {
  server.answerWith({ body: JSON.stringify({ embedding: [0.5, -0.25], inputTextTokenCount: 3 }) });
  const { status, body } = await embed(titan, { input: ["one", "two"], dimensions: 256, user: "user-7" });
  expect(status).toBe(200);
  expect(body).toEqual({
    object: "list",
    data: [0, 1].map((index) => ({ object: "embedding", index, embedding: [0.5, -0.25] })),
    model: titan,
    usage: { prompt_tokens: 6, total_tokens: 6 },
  });
  expect(server.last()).toMatchObject({
    path: "/model/amazon.titan-embed-text-v2%3A0/invoke",
    body: { dimensions: 256 },
  });
  expect(server.last()?.body.inputText).toMatch(/^(one|two)$/);
  expect(server.last()?.headers.authorization).toMatch(/^AWS4-HMAC-SHA256 /);
});

// https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-embed.html
test("Cohere is asked for all texts at once, with the kind of input, and counted by its header", async () => {
  server.answerWith({
    headers: { "x-amzn-bedrock-input-token-count": "9" },
    body: JSON.stringify({
      embeddings: [[1], [2]],
      id: "e",
      response_type: "embeddings_floats",
      texts: ["one", "two"],
    }),
  });
  const { body } = await embed(cohere, { input: ["one", "two"] });
  expect(body).toMatchObject({ data: [{ embedding: [1] }, { embedding: [2] }], usage: { prompt_tokens: 9 } });
  expect(server.last()?.body).toMatchObject({ texts: ["one", "two"], input_type: "search_document" });
  await embed(cohere, { input: "one", input_type: "search_query" });
  expect(server.last()?.body).toMatchObject({ texts: ["one"], input_type: "search_query" });
});

test("base64 is what OpenAI's clients read as 32-bit floats", async () => {
  server.answerWith({ body: JSON.stringify({ embedding: [0.5, -0.25], inputTextTokenCount: 3 }) });
  const { body } = await embed(titan, { input: "one", encoding_format: "base64" });
  const bytes = Buffer.from(Float32Array.from([0.5, -0.25]).buffer).toString("base64");
  expect(body).toMatchObject({ data: [{ embedding: bytes }] });
});

test("an error keeps the vendor's status and words", async () => {
  server.answerWith({ status: 429, body: JSON.stringify({ message: "Too many requests" }) });
  expect(await embed(titan, { input: ["one", "two"] })).toMatchObject({
    status: 429,
    body: { message: "Too many requests" },
  });
});

test.each<[string, JsonObject, string]>([
  ["a list of tokens", { model: titan, input: [1, 2] }, "input"],
  ["a length that the model does not have", { model: titan, input: "a", dimensions: 300 }, "dimensions"],
  ["a kind of input that it does not know", { model: titan, input: "a", input_type: "search_query" }, "input_type"],
  ["a field that nobody knows", { model: cohere, input: "a", frobnicate: 1 }, "frobnicate"],
])("refuses %s with a 400 that names the field, and sends nothing", async (_what, request, param) => {
  const before = server.last();
  await expect(embed(String(request.model), request)).rejects.toMatchObject({
    ...{ status: 400, type: "invalid_request_error", param },
  });
  expect(server.last()).toBe(before);
});

test("with drop_params, a field without an equal is left out and named", async () => {
  server.answerWith({ body: JSON.stringify({ embedding: [1], inputTextTokenCount: 1 }) });
  const { dropped } = await embed(titan, { input: "a", frobnicate: 1 }, { drop_params: true });
  expect(dropped).toEqual(["frobnicate"]);
});
