import { createServer } from "node:http";
import { expect, test } from "vitest";
import { findFailure } from "#lib/fetch-failure.ts";
import { AppError, UpstreamError } from "#lib/errors.ts";
import type { JsonObject } from "#logging/record.ts";
import { anthropicCases } from "#testing/vendors/anthropic-cases.ts";
import { readChat, sendChat, toDeployment, vendorServerOfFile } from "#testing/vendors/play-vendor.ts";
import { pixel, toNamedEvents } from "#testing/vendors/vendor-case.ts";

const server = vendorServerOfFile();

const said = (content: JsonObject[]): JsonObject => ({ messages: [{ role: "user", content }] });
const answered =
  '{"type":"message","id":"msg_1","model":"claude","content":[{"type":"text","text":"Hi"}],"stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":1}}';

const untranslatable: [string, JsonObject, string][] = [
  ["several choices", { n: 2 }, "n"],
  ["log probabilities", { logprobs: true }, "logprobs"],
  ["a field that nobody knows", { frobnicate: 1 }, "frobnicate"],
  ["a seed", { seed: 7 }, "seed"],
  ["a penalty", { frequency_penalty: 0.5 }, "frequency_penalty"],
  ["a temperature that the vendor does not have", { temperature: 1.5 }, "temperature"],
  ["a temperature while thinking", { temperature: 0.2, reasoning_effort: "low" }, "temperature"],
  ["audio to be spoken", { modalities: ["text", "audio"] }, "modalities"],
  ["a prediction", { prediction: { type: "content", content: "x" } }, "prediction"],
  ["a tool that is no function", { tools: [{ type: "custom", custom: { name: "x" } }] }, "tools.0.type"],
  ["a part that nobody knows", said([{ type: "hologram" }]), "messages.0.content.0.type"],
  [
    "sound",
    said([
      { type: "text", text: "a" },
      { type: "input_audio", input_audio: { data: "AA", format: "wav" } },
    ]),
    "messages.0.content.1.type",
  ],
  [
    "how closely to look at a picture",
    said([{ type: "image_url", image_url: { url: `data:image/png;base64,${pixel}`, detail: "high" } }]),
    "messages.0.content.0.image_url",
  ],
  ["a file by its id", said([{ type: "file", file: { file_id: "file-1" } }]), "messages.0.content.0.file.file_data"],
  ["a name of who speaks", { messages: [{ role: "user", content: "a", name: "Ada" }] }, "messages.0.name"],
];

test.each(untranslatable)(
  "refuses %s with a 400 that names the field, and sends nothing",
  async (_what, request, param) => {
    const before = server.last();
    const refused = await sendChat(toDeployment(anthropicCases, server.url), request).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(AppError);
    expect(refused).toMatchObject({
      status: 400,
      type: "invalid_request_error",
      param,
    });
    expect(String(refused)).toContain("anthropic");
    expect(server.last()).toBe(before);
  },
);

test("with drop_params, fields without an equal are left out and named, and content never is", async () => {
  server.answerWith({ body: answered });
  const deployment = toDeployment(anthropicCases, server.url, { drop_params: true });
  const answer = await sendChat(deployment, { n: 2, seed: 7, logprobs: true, temperature: 0.5, frobnicate: 1 });
  expect(answer.dropped?.toSorted()).toEqual(["frobnicate", "logprobs", "n", "seed"]);
  expect(server.last()?.body).toMatchObject({ temperature: 0.5 });
  expect(server.last()?.body).not.toHaveProperty("seed");
  await expect(sendChat(deployment, said([{ type: "hologram" }]))).rejects.toMatchObject({ status: 400 });
});

test("the vendor gets its key and version, and a server without a key gets none", async () => {
  server.answerWith({ body: answered });
  await sendChat(toDeployment(anthropicCases, server.url), {});
  expect(server.last()?.headers).toMatchObject({ "x-api-key": "sk-ant-fixture", "anthropic-version": "2023-06-01" });
  await sendChat(toDeployment({ params: { model: "anthropic/claude" } }, server.url), {});
  expect(server.last()?.headers).not.toHaveProperty("x-api-key");
});

test("the vendor's headers come with the answer", async () => {
  server.answerWith({ headers: { "request-id": "req_1", "anthropic-ratelimit-requests-limit": "50" }, body: answered });
  const answer = await sendChat(toDeployment(anthropicCases, server.url), {});
  expect(answer.headers).toMatchObject({ "request-id": "req_1", "anthropic-ratelimit-requests-limit": "50" });
  expect(answer.headers).toMatchObject({ "x-ratelimit-limit-requests": "50" });
  await readChat(answer);
});

test("an answer that is no answer is the upstream's fault, and is not shown", async () => {
  server.answerWith({ body: '{"secret":"of the upstream"}' });
  const failed = await sendChat(toDeployment(anthropicCases, server.url), {}).catch((error: unknown) => error);
  expect(failed).toBeInstanceOf(UpstreamError);
  expect(String(failed)).not.toContain("secret");
});

const start = {
  type: "message_start",
  message: {
    id: "msg_1",
    model: "claude",
    role: "assistant",
    content: [],
    usage: { input_tokens: 1, output_tokens: 1 },
  },
};
const piece = (text: string) => ({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text } });

test("a stream that ends without its last event is broken", async () => {
  server.answerWith({
    body: toNamedEvents([
      start,
      { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
      piece("Hel"),
    ]),
  });
  const answer = await sendChat(toDeployment(anthropicCases, server.url), { stream: true });
  await expect(readChat(answer)).rejects.toBeInstanceOf(UpstreamError);
});

test("an error in a stream does not show the key that it quotes", async () => {
  const error = { type: "error", error: { type: "api_error", message: "The key sk-ant-fixture failed." } };
  server.answerWith({ body: toNamedEvents([start, piece("Hel"), error]) });
  const { text } = await readChat(await sendChat(toDeployment(anthropicCases, server.url), { stream: true }));
  expect(text).toContain("The key *** failed.");
});

/** A server that sends an event stream on and on, as fast as it is read. */
async function withEndless(
  run: (url: string, seen: { bytes: number; closed: Promise<unknown> }) => Promise<void>,
): Promise<void> {
  const closed = Promise.withResolvers<undefined>();
  const seen = { bytes: 0, closed: closed.promise };
  const endless = createServer((request, response) => {
    request.resume();
    response.on("close", () => closed.resolve(undefined));
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(
      toNamedEvents([start, { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } }]),
    );
    const chunk = toNamedEvents([piece("x".repeat(16_384))]);
    const more = (): void => {
      while (!response.destroyed) {
        seen.bytes += chunk.length;
        if (!response.write(chunk)) {
          response.once("drain", more);
          return;
        }
      }
    };
    more();
  });
  await new Promise<void>((resolve) => endless.listen(0, "127.0.0.1", resolve));
  const address = endless.address();
  if (typeof address !== "object" || address === null) throw new Error("The server has no port.");
  try {
    await run(`http://127.0.0.1:${String(address.port)}`, seen);
  } finally {
    endless.closeAllConnections();
    endless.close();
  }
}

test("a streamed answer comes piece by piece, waits for its reader, and ends the upstream when the reader leaves", async () => {
  await withEndless(async (url, seen) => {
    const answer = await sendChat(toDeployment(anthropicCases, url), { stream: true });
    const iterator = answer.body[Symbol.asyncIterator]();
    const first = await iterator.next();
    expect(String(first.value)).toContain('"role":"assistant"');
    // What is under way between the two ends is bounded: once that is full, nothing more is sent.
    let before = -1;
    for (let tries = 0; before !== seen.bytes && tries < 100; tries += 1) {
      before = seen.bytes;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(before).toBe(seen.bytes);
    answer.body.destroy();
    await seen.closed;
  });
});

test("a client that leaves before the answer ends the upstream's work", async () => {
  const closed = Promise.withResolvers<undefined>();
  const arrived = Promise.withResolvers<undefined>();
  const silent = createServer((request, response) => {
    request.resume();
    response.on("close", () => closed.resolve(undefined));
    arrived.resolve(undefined);
  });
  await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
  const address = silent.address();
  const url = typeof address === "object" && address !== null ? `http://127.0.0.1:${String(address.port)}` : "";
  const leaving = new AbortController();
  const asked = sendChat(toDeployment(anthropicCases, url), {}, { timeoutMs: 60_000, signal: leaving.signal }).catch(
    (error: unknown) => error,
  );
  await arrived.promise;
  leaving.abort();
  expect(await asked).toBeInstanceOf(UpstreamError);
  await closed.promise;
  silent.close();
});

test("an upstream that says nothing is a timeout", async () => {
  const silent = createServer((request) => void request.resume());
  await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
  const address = silent.address();
  const url = typeof address === "object" && address !== null ? `http://127.0.0.1:${String(address.port)}` : "";
  for (const stream of [false, true]) {
    const failed = await sendChat(toDeployment(anthropicCases, url), { stream }, { timeoutMs: 200 }).catch(
      (error: unknown) => error,
    );
    expect(findFailure(failed)?.kind).toMatch(/^timeout/);
  }
  silent.closeAllConnections();
  silent.close();
});
