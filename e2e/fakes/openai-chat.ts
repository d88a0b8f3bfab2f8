import type { IncomingHttpHeaders, ServerResponse } from "node:http";
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { sendText } from "./fake-server.ts";
import { makeCompletion, toChunks } from "./openai-answer.ts";
import { lastUserText, refuse } from "./openai-request.ts";
import type { ChatRequest, OpenaiRefusal } from "./openai-request.ts";

/** How the fake answers a chat request: whole, streamed, late, broken or not at all. */

/** One call as it arrived, and what became of it. */
export type FakeOpenaiCall = {
  method: string;
  /** Path without query. */
  path: string;
  query: string;
  headers: IncomingHttpHeaders;
  /** The parsed JSON body; undefined where it was none. */
  body: unknown;
  behaviour: string;
  /** The status that was answered; 0 as long as there was none. */
  status: number;
  /** True where the client closed the connection before the answer was complete. */
  aborted: boolean;
};

/** A call, where its answer goes, and the pauses of `slow`. */
export type Exchange = { call: FakeOpenaiCall; response: ServerResponse; slowMs: number };

/** The errors that can be asked for by name. */
export const errors: Record<string, (prompt: string) => OpenaiRefusal> = {
  "error-401": () =>
    refuse(
      401,
      "Incorrect API key provided: sk-fake. You can find your API key at https://platform.openai.com/account/api-keys.",
      { code: "invalid_api_key" },
    ),
  "error-429": () =>
    refuse(429, "Rate limit reached for requests. Please try again in 1s.", {
      type: "requests",
      code: "rate_limit_exceeded",
    }),
  "error-500": () =>
    refuse(500, "The server had an error while processing your request. Sorry about that!", { type: "server_error" }),
  "error-context": () =>
    refuse(400, "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens.", {
      param: "messages",
      code: "context_length_exceeded",
    }),
  "error-400-echo": (prompt) =>
    refuse(400, `Invalid prompt: your prompt was flagged as potentially violating our usage policy: "${prompt}"`, {
      code: "invalid_prompt",
    }),
};

const behaviours = new Set(
  (
    "slow hang hang-mid-stream error-401 error-429 error-500 error-400-echo error-context error-mid-stream break-at-once " +
    "break-mid-stream flaky tools reasoning_content refusal big cached html-502 invalid-json"
  ).split(" "),
);

const brokenByFake = new WeakSet<ServerResponse>();

/** The behaviour that a request asks for. `flakyPrompts` remembers which prompts have failed once. */
export function chooseBehaviour(chat: ChatRequest, flakyPrompts: Set<string>): string {
  const prompt = lastUserText(chat.messages);
  const marked = /\[\[([a-z0-9_-]+)\]\]/.exec(prompt)?.[1] ?? "";
  const name = [chat.model, marked].find((candidate) => behaviours.has(candidate)) ?? "echo";
  if (name !== "flaky") return name;
  if (flakyPrompts.has(prompt)) return "echo";
  flakyPrompts.add(prompt);
  return "error-500";
}

/** Answers a chat request under the call's behaviour; throws the refusal where that is an error. */
export async function answerChat(exchange: Exchange, chat: ChatRequest): Promise<void> {
  const { call, response, slowMs } = exchange;
  const prompt = lastUserText(chat.messages);
  const error = errors[call.behaviour];
  if (error) throw error(prompt);
  if (call.behaviour === "hang") return;
  if (call.behaviour === "break-at-once") return destroy(response);
  if (call.behaviour === "html-502") {
    call.status = 502;
    const page =
      "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body><h1>502 Bad Gateway</h1></body></html>";
    return sendText(response, { status: 502, body: page, headers: { "content-type": "text/html" } });
  }
  if (call.behaviour === "slow") await sleep(slowMs);
  const completion = makeCompletion(chat, call.behaviour);
  call.status = 200;
  if (chat.stream && call.behaviour !== "invalid-json") {
    const frames = toChunks(completion, chat).map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`);
    return streamFrames(exchange, frames, "data: [DONE]\n\n");
  }
  return sendWhole(exchange, JSON.stringify(completion, null, 2));
}

/** The behaviour that a text asks for by `[[name]]`; `echo` where it names none. */
export function markedBehaviour(text: string): string {
  const marked = /\[\[([a-z0-9_-]+)\]\]/.exec(text)?.[1] ?? "";
  return behaviours.has(marked) ? marked : "echo";
}

/** Answers as the call's behaviour says that a failing upstream does; true where it did. */
export function answersAsBroken({ call, response }: Exchange, prompt: string): boolean {
  const error = errors[call.behaviour];
  if (error) throw error(prompt);
  if (call.behaviour === "break-at-once") destroy(response);
  return call.behaviour === "hang" || call.behaviour === "break-at-once";
}

/** Sends a JSON text, or the half of it, under the call's behaviour. */
export function sendWhole({ call, response }: Exchange, text: string): void {
  const headers = { "content-type": "application/json", ...openaiHeaders() };
  if (call.behaviour === "invalid-json") {
    return sendText(response, { status: 200, body: text.slice(0, -40), headers });
  }
  if (call.behaviour !== "break-mid-stream" && call.behaviour !== "hang-mid-stream") {
    return sendText(response, { status: 200, body: text, headers });
  }
  response.writeHead(200, { "content-length": Buffer.byteLength(text), ...headers });
  response.write(text.slice(0, text.length / 2), () => {
    if (call.behaviour === "break-mid-stream") destroy(response);
  });
}

/** Streams whole frames under the call's behaviour, then the last one. */
export async function streamFrames(
  { call, response, slowMs }: Exchange,
  frames: readonly string[],
  end: string,
): Promise<void> {
  response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8", ...openaiHeaders() });
  // Asking for the usage moves no other frame.
  const half = Math.ceil(frames.filter((frame) => !frame.includes('"choices":[]')).length / 2);
  for (const [index, frame] of frames.entries()) {
    if (response.destroyed) return;
    if (index === half && call.behaviour === "hang-mid-stream") return;
    if (index === half && call.behaviour === "break-mid-stream") return destroy(response);
    if (index === half && call.behaviour === "error-mid-stream") {
      const error = errors["error-500"]?.("").error;
      response.end(`data: ${JSON.stringify({ error })}\n\n`);
      return;
    }
    if (call.behaviour === "slow" && index > 0) await sleep(slowMs);
    await write(response, frame);
  }
  response.end(end);
}

/** Resolves when the bytes were handed to the socket, or when it is gone. */
function write(response: ServerResponse, text: string): Promise<void> {
  return new Promise((resolve) => {
    response.write(text, () => resolve());
  });
}

/** True where the fake itself destroyed the connection. */
export function isBrokenByFake(response: ServerResponse): boolean {
  return brokenByFake.has(response);
}

/** The headers that OpenAI sends with every answer. */
export function openaiHeaders(): Record<string, string> {
  return {
    "x-request-id": `req_${randomUUID().replaceAll("-", "")}`,
    "openai-version": "2020-10-01",
    "openai-organization": "fake-organization",
    "openai-processing-ms": "12",
    "x-ratelimit-limit-requests": "10000",
    "x-ratelimit-remaining-requests": "9999",
    "x-ratelimit-limit-tokens": "2000000",
    "x-ratelimit-remaining-tokens": "1999990",
    "x-ratelimit-reset-requests": "6ms",
    "x-ratelimit-reset-tokens": "0s",
  };
}

function destroy(response: ServerResponse): void {
  brokenByFake.add(response);
  response.destroy();
}
