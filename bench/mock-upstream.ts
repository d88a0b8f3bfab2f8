import { createServer } from "node:http";
import type { ServerResponse } from "node:http";
import { runFakeCli } from "../e2e/fakes/fake-server.ts";
import type { FakeServer } from "../e2e/fakes/fake-server.ts";

/**
 * The upstream of the benchmark: as cheap as can be, the same bytes every time. A body with `"stream":true` gets
 * 50 chunks, each in a turn of the event loop of its own, so that they travel apart; embeddings are one vector of 1,536
 * numbers in base64; any other body gets about 1 kB of JSON.
 */

const content = "The quick brown fox jumps over the lazy dog while the band plays on. ".repeat(10);
const head = { id: "chatcmpl-benchmark", created: 1_737_247_356, model: "mock", system_fingerprint: "fp_benchmark" };
const usage = { prompt_tokens: 290, completion_tokens: 175, total_tokens: 465 };

const wholeAnswer = Buffer.from(
  JSON.stringify({
    ...head,
    object: "chat.completion",
    choices: [
      { index: 0, message: { role: "assistant", content, refusal: null }, logprobs: null, finish_reason: "stop" },
    ],
    usage,
  }),
);

const embeddingAnswer = Buffer.from(
  JSON.stringify({
    object: "list",
    data: [{ object: "embedding", index: 0, embedding: Buffer.alloc(1_536 * 4, "0.123456789").toString("base64") }],
    model: "mock",
    usage: { prompt_tokens: 290, total_tokens: 290 },
  }),
);

const streamedAnswer = makeStream();

/** Starts the mock upstream on 127.0.0.1. */
export async function startMockUpstream(port: number): Promise<FakeServer> {
  const server = createServer({ keepAliveTimeout: 120_000 }, (request, response) => {
    let streamed = false;
    request.on("data", (chunk: Buffer) => {
      if (chunk.includes('"stream":true')) streamed = true;
    });
    request.on("end", () => {
      if (streamed) {
        response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
        sendFrom(response, 0);
      } else {
        const answer = request.url?.startsWith("/v1/embeddings") ? embeddingAnswer : wholeAnswer;
        response.writeHead(200, { "content-type": "application/json", "content-length": answer.length });
        response.end(answer);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The mock upstream has no TCP port.");
  return {
    port: address.port,
    url: `http://127.0.0.1:${String(address.port)}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function sendFrom(response: ServerResponse, index: number): void {
  const frame = streamedAnswer[index];
  if (frame === undefined) response.end();
  else {
    response.write(frame);
    setImmediate(sendFrom, response, index + 1);
  }
}

/** A role chunk, 47 content chunks, a finish chunk with `[DONE]` behind it, and a usage chunk before that: 50 frames. */
function makeStream(): Buffer[] {
  const chunk = (choices: unknown[], more = {}) =>
    `data: ${JSON.stringify({ ...head, object: "chat.completion.chunk", choices, ...more })}\n\n`;
  const choice = (delta: unknown, finishReason: string | null = null) => [
    { index: 0, delta, logprobs: null, finish_reason: finishReason },
  ];
  const frames = [chunk(choice({ role: "assistant", content: "", refusal: null }))];
  const pieceLength = Math.ceil(content.length / 47);
  for (let at = 0; at < 47; at += 1) {
    frames.push(chunk(choice({ content: content.slice(at * pieceLength, (at + 1) * pieceLength) })));
  }
  frames.push(chunk(choice({}, "stop")));
  frames.push(`${chunk([], { usage })}data: [DONE]\n\n`);
  return frames.map((frame) => Buffer.from(frame));
}

if (import.meta.main) await runFakeCli(startMockUpstream);
