import { createServer } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { makeModelTable, type Deployment } from "#gateway/models.ts";
import type { Operation } from "#gateway/operation.ts";
import { speech, transcription } from "#gateway/operations/audio.ts";
import { chat } from "#gateway/operations/chat.ts";
import { embedding } from "#gateway/operations/embedding.ts";
import { messages } from "#gateway/operations/messages.ts";
import { responses } from "#gateway/operations/responses.ts";
import { findProvider, providerNames } from "#gateway/providers/index.ts";
import { parseConfig } from "#lib/config.ts";
import { closeUpstreams, readText } from "#lib/fetch-upstream.ts";

/** An upstream that answers every request with what it got. */
let apiBase = "";
const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const { method, url, headers } = request;
    response.end(JSON.stringify({ method, url, headers, body: Buffer.concat(chunks).toString("utf8") }));
  });
});

beforeAll(async () => {
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (typeof address === "object" && address !== null) apiBase = `http://127.0.0.1:${String(address.port)}`;
});
afterAll(async () => {
  await closeUpstreams();
  server.close();
});

function deployment(model: string, more = ""): Deployment {
  const text = `model_list:\n  - model_name: m\n    litellm_params: {model: "${model}", api_base: "${apiBase}${more.startsWith("/") ? more : ""}", api_key: k${more.startsWith("/") ? "" : more}}\n`;
  const [only] = makeModelTable(parseConfig(text, "config.yaml", {}).config).get("m") ?? [];
  if (!only) throw new Error("There is one deployment.");
  return only;
}

const Seen = z.object({
  method: z.string(),
  url: z.string(),
  headers: z.record(z.string(), z.string()),
  body: z.string(),
});
type Seen = z.output<typeof Seen>;

async function send(
  to: Deployment,
  operation: Operation,
  { form = null, headers = {} }: { form?: FormData | null; headers?: Record<string, string> } = {},
): Promise<Seen> {
  const body = { model: to.upstreamModel, messages: [] };
  const provider = findProvider(to.provider);
  if (!provider) throw new Error(`There is no provider ${to.provider}.`);
  const limits = { timeoutMs: 5_000, totalTimeoutMs: 5_000 };
  const answer = await provider.send({
    deployment: to,
    operation,
    body,
    form,
    headers: new Headers(headers),
    ...limits,
  });
  return Seen.parse(JSON.parse(await readText({ ...answer, headers: {} }, 100_000)));
}

const compatible = providerNames.filter(
  (name) => !["azure", "anthropic", "bedrock", "vertex_ai", "mock"].includes(name),
);

test.each(compatible)("%s is reached as OpenAI is", async (name) => {
  const seen = await send(deployment(`${name}/the-model`, "/v1"), chat);
  expect(seen).toMatchObject({ method: "POST", url: "/v1/chat/completions", headers: { authorization: "Bearer k" } });
  expect(JSON.parse(seen.body)).toEqual({ model: "the-model", messages: [] });
});

test("every provider but a server of one's own has its vendor's address", () => {
  const withoutAddress = providerNames.filter((name) => findProvider(name)?.apiBase === null);
  expect(withoutAddress.toSorted()).toEqual(["azure", "bedrock", "hosted_vllm", "mock", "openai_like", "vertex_ai"]);
});

test("azure has the deployment in the path, the version in the query and the key in its own header", async () => {
  const to = deployment("azure/our gpt");
  const chatted = await send(to, chat);
  expect(chatted.url).toBe("/openai/deployments/our%20gpt/chat/completions?api-version=2024-10-21");
  expect(chatted.headers).toMatchObject({ "api-key": "k" });
  expect(chatted.headers).not.toHaveProperty("authorization");
  expect((await send(deployment("azure/gpt", ", api_version: 2025-04-01-preview"), responses)).url).toBe(
    "/openai/responses?api-version=2025-04-01-preview",
  );
  expect((await send(deployment("azure/gpt", "/openai/v1"), embedding)).url).toContain("/openai/deployments/gpt/emb");
});

test("anthropic gets its version and the client's betas, and no header else of the client", async () => {
  const sent = { "anthropic-beta": "a-beta", cookie: "c", authorization: "Bearer sk-virtual" };
  const seen = await send(deployment("anthropic/claude", "/v1"), messages, { headers: sent });
  expect(seen).toMatchObject({
    url: "/v1/messages",
    headers: { "x-api-key": "k", "anthropic-version": "2023-06-01", "anthropic-beta": "a-beta" },
  });
  expect(seen.headers).not.toHaveProperty("cookie");
  expect(seen.headers).not.toHaveProperty("authorization");
});

test("a form reaches the upstream as a form, under the upstream's model name", async () => {
  const form = new FormData();
  form.append("model", "public");
  form.append("file", new File(["the sound"], "a.wav", { type: "audio/wav" }));
  form.append("tags", "ours");
  const seen = await send(deployment("openai/whisper", "/v1"), transcription, { form });
  expect(seen.url).toBe("/v1/audio/transcriptions");
  expect(seen.headers["content-type"]).toMatch(/^multipart\/form-data; boundary=/);
  expect(seen.body).toContain('name="model"\r\n\r\nwhisper');
  expect(seen.body).not.toContain("public");
  expect(seen.body).not.toContain("ours");
});

test.each<[string, Operation[], boolean]>([
  ["openai", [chat, embedding, responses, speech], true],
  ["openai", [messages], false],
  ["azure", [chat, embedding, speech], true],
  ["azure", [messages], false],
  ["anthropic", [messages, chat], true],
  ["anthropic", [embedding], false],
  ["bedrock", [chat, embedding], true],
  ["bedrock", [messages, responses], false],
  ["mock", [chat], true],
  ["mock", [embedding], false],
])("%s takes %j: %s", (name, operations, takes) => {
  expect(operations.map((operation) => findProvider(name)?.takes(operation))).toEqual(operations.map(() => takes));
});
