import { request } from "node:http";
import OpenAI from "openai";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { startFakeOpenai } from "./openai.ts";
import type { FakeOpenai } from "./openai.ts";

let fake: FakeOpenai;
let client: OpenAI;
beforeEach(async () => {
  fake = await startFakeOpenai({ slowMs: 5 });
  client = new OpenAI({ apiKey: "sk-test", baseURL: fake.baseUrl, maxRetries: 0 });
});
afterEach(() => fake.close());

const hello = [{ role: "user" as const, content: "Hello there, fake!" }];

async function post(body: unknown, headers: Record<string, string> = { authorization: "Bearer sk-test" }) {
  const response = await fetch(`${fake.baseUrl}/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

describe("the official client", () => {
  test("gets an echo with usage, and the call is remembered", async () => {
    const answer = await client.chat.completions.create({ model: "gpt-4o", messages: hello });
    expect(answer.choices[0]?.message.content).toBe("Echo: Hello there, fake!");
    expect(answer.choices[0]?.finish_reason).toBe("stop");
    expect(answer.id).toMatch(/^chatcmpl-\w{29}$/);
    expect(answer.model).toBe("gpt-4o-2024-08-06");
    expect(answer.usage).toMatchObject({ prompt_tokens: 11, completion_tokens: 6, total_tokens: 17 });
    expect(fake.calls).toHaveLength(1);
    expect(fake.calls[0]).toMatchObject({ status: 200, aborted: false, body: { model: "gpt-4o", messages: hello } });
    expect(fake.calls[0]?.headers.authorization).toBe("Bearer sk-test");
  });

  test("gets the same answer streamed, without a usage chunk unless it asked", async () => {
    const stream = await client.chat.completions.create({ model: "gpt-4o", messages: hello, stream: true });
    const chunks = await collect(stream);
    expect(chunks[0]?.choices[0]?.delta).toEqual({ role: "assistant", content: "", refusal: null });
    expect(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("")).toBe("Echo: Hello there, fake!");
    expect(chunks.at(-1)?.choices[0]).toMatchObject({ delta: {}, finish_reason: "stop" });
    expect(chunks.every((chunk) => !("usage" in chunk))).toBe(true);
    expect(new Set(chunks.map((chunk) => chunk.id)).size).toBe(1);
  });

  test("gets one usage chunk without choices at the end when it asked", async () => {
    const stream = await client.chat.completions.create({
      model: "gpt-4o",
      messages: hello,
      stream: true,
      stream_options: { include_usage: true },
    });
    const chunks = await collect(stream);
    expect(chunks.slice(0, -1).every((chunk) => chunk.usage === null)).toBe(true);
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: 17 } });
  });

  test("gets tool calls whole, and the same ones in fragments by index", async () => {
    const whole = await client.chat.completions.create({ model: "tools", messages: hello });
    const calls = whole.choices[0]?.message.tool_calls ?? [];
    expect(whole.choices[0]?.finish_reason).toBe("tool_calls");
    expect(calls).toHaveLength(2);
    const stream = client.chat.completions.stream({ model: "tools", messages: hello });
    const final = await stream.finalChatCompletion();
    const texts = (list: typeof calls) => list.map((call) => (call.type === "function" ? call.function : null));
    expect(texts(final.choices[0]?.message.tool_calls ?? []).map((call) => call?.arguments)).toEqual(
      texts(calls).map((call) => call?.arguments),
    );
  });

  test("gets every choice it asked for, streamed too", async () => {
    const whole = await client.chat.completions.create({ model: "m", messages: hello, n: 2 });
    expect(whole.choices.map((choice) => choice.message.content)).toEqual([
      "Echo: Hello there, fake!",
      "Echo 2: Hello there, fake!",
    ]);
    const stream = await client.chat.completions.create({ model: "m", messages: hello, n: 2, stream: true });
    const texts = ["", ""];
    for await (const chunk of stream) {
      for (const { index, delta } of chunk.choices) texts[index] = (texts[index] ?? "") + (delta.content ?? "");
    }
    expect(texts).toEqual(["Echo: Hello there, fake!", "Echo 2: Hello there, fake!"]);
  });

  test("gets models and embeddings", async () => {
    expect((await client.models.list()).data.map((model) => model.id)).toContain("gpt-4o");
    const answer = await client.embeddings.create({ model: "text-embedding-3-small", input: ["a", "b"] });
    expect(answer.data).toHaveLength(2);
    expect(answer.data[0]?.embedding).toHaveLength(8);
  });
});

describe("refuses as the real API does", () => {
  test.each([
    ["no key", {}, "You didn't provide an API key"],
    ["another scheme", { authorization: "Basic abc" }, "You didn't provide an API key"],
  ])("401 for %s", async (_, headers, text) => {
    const answer = await post({ model: "m", messages: hello }, headers);
    expect(answer.status).toBe(401);
    expect(answer.text).toContain(text);
  });

  test("401 for another key than the expected one, which it masks", async () => {
    const strict = await startFakeOpenai({ apiKey: "sk-right" });
    const response = await fetch(`${strict.baseUrl}/models`, {
      headers: { authorization: "Bearer sk-wrong-key-1234" },
    });
    expect(response.status).toBe(401);
    const text = await response.text();
    expect(text).toContain("invalid_api_key");
    expect(text).not.toContain("sk-wrong-key");
    await strict.close();
  });

  test.each([
    [{ model: "m", messages: hello, mock_response: "x" }, "Unrecognized request argument supplied: mock_response"],
    [{ model: "m", messages: hello, tags: [], cache: {} }, "Unrecognized request arguments supplied: tags, cache"],
    [{ model: "m" }, "Missing required parameter: 'messages'."],
    [{ model: "m", messages: [] }, "Invalid 'messages': empty array."],
    [{ model: "m", messages: [{ content: "x" }] }, "messages[0].role"],
    [{ model: "m", messages: [{ role: "robot", content: "x" }] }, "Invalid value: 'robot'."],
    [{ messages: hello }, "you must provide a model parameter"],
    [{ model: "m", messages: hello, n: 0 }, "Invalid type for 'n'"],
    [{ model: "m", messages: hello, stream_options: { include_usage: true } }, "only allowed when 'stream' is enabled"],
    [{ model: "m", messages: hello, metadata: { a: "b" } }, "only allowed when 'store' is enabled"],
    ["{", "could not parse the JSON body"],
    ["[]", "could not parse the JSON body"],
  ])("400 for %j", async (body, text) => {
    const answer = await post(body);
    expect(answer.status).toBe(400);
    expect(
      z.object({ error: z.object({ message: z.string() }) }).parse(JSON.parse(answer.text)).error.message,
    ).toContain(text);
    expect(fake.calls[0]?.status).toBe(400);
  });

  test("400 for JSON that does not say so", async () => {
    const headers = { authorization: "Bearer sk-test", "content-type": "text/plain" };
    expect((await post({ model: "m", messages: hello }, headers)).status).toBe(400);
  });

  test("404 for a model that does not exist, 404 for an unknown path, 405 for a wrong method", async () => {
    const strict = await startFakeOpenai({ models: ["gpt-4o"] });
    const other = new OpenAI({ apiKey: "sk-test", baseURL: strict.baseUrl, maxRetries: 0 });
    await expect(other.chat.completions.create({ model: "nope", messages: hello })).rejects.toMatchObject({
      status: 404,
      code: "model_not_found",
    });
    await strict.close();
    const headers = { authorization: "Bearer sk-test" };
    expect((await fetch(`${fake.url}/chat/completions`, { method: "POST", headers })).status).toBe(404);
    expect((await fetch(`${fake.baseUrl}/chat/completions`, { headers })).status).toBe(405);
  });
});

describe("behaviours", () => {
  test.each([
    ["error-401", 401, "invalid_api_key"],
    ["error-429", 429, "rate_limit_exceeded"],
    ["error-500", 500, "server_error"],
    ["error-400-echo", 400, "Hello there, fake!"],
    ["html-502", 502, "<html>"],
  ])("%s by model name", async (model, status, text) => {
    const answer = await post({ model, messages: hello });
    expect(answer.status).toBe(status);
    expect(answer.text).toContain(text);
    expect(answer.headers.get("retry-after")).toBe(status === 429 ? "1" : null);
  });

  test("are chosen by a mark in the last user message too", async () => {
    const messages = [{ role: "user", content: "[[error-500]]" }];
    expect((await post({ model: "gpt-4o", messages })).status).toBe(500);
    expect((await post({ model: "gpt-4o", messages: [...messages, ...hello] })).status).toBe(200);
  });

  test("flaky fails once per prompt", async () => {
    expect((await post({ model: "flaky", messages: hello })).status).toBe(500);
    expect((await post({ model: "flaky", messages: hello })).status).toBe(200);
  });

  test("invalid-json says 200 and JSON and is none", async () => {
    const answer = await post({ model: "invalid-json", messages: hello });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toBe("application/json");
    expect(() => void JSON.parse(answer.text)).toThrow();
  });

  test.each([true, false])("break-mid-stream delivers a part and then breaks (stream: %s)", async (stream) => {
    const { text, complete } = await read({ model: "break-mid-stream", messages: hello, stream });
    expect(text.length).toBeGreaterThan(0);
    expect(complete).toBe(false);
    expect(fake.calls[0]?.aborted).toBe(false);
  });

  test("break-at-once breaks before any byte", async () => {
    await expect(post({ model: "break-at-once", messages: hello })).rejects.toThrow();
  });

  test("error-mid-stream ends with an error frame and no [DONE]", async () => {
    const { text } = await post({ model: "error-mid-stream", messages: hello, stream: true });
    expect(text).toContain("chat.completion.chunk");
    expect(text).toMatch(/data: \{"error":\{[^\n]+\}\n\n$/);
  });

  test("slow answers in the end, whole and streamed", async () => {
    expect((await post({ model: "slow", messages: hello })).text).toContain("Echo: Hello");
    expect((await post({ model: "slow", messages: hello, stream: true })).text).toMatch(/data: \[DONE\]\n\n$/);
  });

  test.each(["hang", "hang-mid-stream"])("%s never ends, and an abort of the client is remembered", async (model) => {
    const abort = new AbortController();
    const answer = fetch(`${fake.baseUrl}/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: "Bearer sk-test" },
      body: JSON.stringify({ model, messages: hello, stream: true }),
      signal: abort.signal,
    }).then((response) => response.text());
    await expect.poll(() => fake.calls[0]?.behaviour).toBe(model);
    abort.abort();
    await expect(answer).rejects.toThrow();
    await expect.poll(() => fake.calls[0]?.aborted).toBe(true);
  });

  test("big streams 1 MiB whole", async () => {
    const stream = client.chat.completions.stream({ model: "big", messages: hello });
    const final = await stream.finalChatCompletion();
    expect(final.choices[0]?.message.content?.length).toBe(1_048_576);
  });

  test("reasoning, refusal and cached tokens arrive where OpenAI and its likes put them", async () => {
    const reasoning = await client.chat.completions.create({ model: "reasoning_content", messages: hello });
    expect(reasoning.choices[0]?.message).toMatchObject({ reasoning_content: "Thinking about: Hello there, fake!" });
    expect(reasoning.usage?.completion_tokens_details?.reasoning_tokens).toBeGreaterThan(0);
    const streamed = await post({ model: "reasoning_content", messages: hello, stream: true });
    expect(streamed.text).toContain('"reasoning_content":"Thinking"');
    const refusal = await client.chat.completions.create({ model: "refusal", messages: hello });
    expect(refusal.choices[0]?.message).toMatchObject({
      content: null,
      refusal: "I'm sorry, I can't assist with that request.",
    });
    const cached = await client.chat.completions.create({ model: "cached", messages: hello });
    expect(cached.usage?.prompt_tokens_details?.cached_tokens).toBe(9);
  });
});

async function collect<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of stream) items.push(item);
  return items;
}

/** Reads an answer as far as it comes. */
function read(body: unknown): Promise<{ text: string; complete: boolean }> {
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json", authorization: "Bearer sk-test" };
    const call = request(`${fake.baseUrl}/chat/completions`, { method: "POST", headers }, (response) => {
      let text = "";
      response.on("data", (chunk: Buffer) => (text += chunk.toString("utf8")));
      response.on("error", () => undefined);
      response.on("close", () => resolve({ text, complete: response.complete }));
    });
    call.on("error", reject);
    call.end(JSON.stringify(body));
  });
}
