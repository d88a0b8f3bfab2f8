import { createHash } from "node:crypto";
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { isObject, parseJson, readBody, runFakeCli, sendJson, startFakeServer } from "./fake-server.ts";

/**
 * A stand-in for Anthropic's API: `POST /v1/messages`, streamed or not. It refuses what the real one refuses (no key, no
 * version, unknown parameters, no `max_tokens`) and remembers every call. `[[name]]` in the last user message chooses the
 * answer: `tools`, `thinking`, `cached`, `slow`, `hang`, `error-400-echo`, `error-429`, `error-529`, `error-mid-stream`,
 * `break-mid-stream`; anything else is echoed. The same request gets the same answer.
 */
export type FakeAnthropic = {
  url: string;
  calls: FakeAnthropicCall[];
  close(): Promise<void>;
};

/** One call as it arrived. */
export type FakeAnthropicCall = { path: string; headers: IncomingHttpHeaders; body: unknown; aborted: boolean };

type Body = Record<string, unknown>;

class Refusal extends Error {
  readonly status: number;
  readonly type: string;

  constructor(status: number, type: string, message: string) {
    super(message);
    this.status = status;
    this.type = type;
  }
}

const parameters = new Set(
  (
    "model messages max_tokens metadata container context_management mcp_servers service_tier stop_sequences stream " +
    "system temperature thinking tool_choice tools top_k top_p output_config output_format"
  ).split(" "),
);

/** Starts the fake on 127.0.0.1. */
export async function startFakeAnthropic({ port = 0, slowMs = 200 } = {}): Promise<FakeAnthropic> {
  const calls: FakeAnthropicCall[] = [];
  const server = await startFakeServer(async (request, response) => {
    const call: FakeAnthropicCall = {
      path: request.url ?? "",
      headers: request.headers,
      body: parseJson((await readBody(request)).toString("utf8")),
      aborted: false,
    };
    calls.push(call);
    response.on("error", () => undefined);
    response.on("close", () => (call.aborted = !response.writableFinished));
    try {
      await answer(checkRequest(request, call), response, slowMs);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const { status, type, message } = error;
      const headers = { ...answerHeaders(), ...(status === 429 ? { "retry-after": "1" } : {}) };
      const body = { type: "error", error: { type, message }, request_id: "req_fake" };
      sendJson(response, { status, body, headers });
    }
  }, port);
  return { url: server.url, close: server.close, calls };
}

function answerHeaders(): Record<string, string> {
  return {
    "request-id": "req_011CSHoEeqs5C35K2UUqR7Fy",
    "anthropic-organization-id": "fake-organization",
    "anthropic-ratelimit-requests-limit": "4000",
    "anthropic-ratelimit-requests-remaining": "3999",
  };
}

function checkRequest(request: IncomingMessage, { path, headers, body }: FakeAnthropicCall): Body {
  if (request.method !== "POST" || path.split("?")[0] !== "/v1/messages") {
    throw new Refusal(404, "not_found_error", "Not found");
  }
  const key = headers["x-api-key"] ?? headers.authorization?.replace(/^Bearer /, "");
  if (!key) throw new Refusal(401, "authentication_error", "x-api-key header is required");
  if (key === "wrong") throw new Refusal(401, "authentication_error", "invalid x-api-key");
  if (!headers["anthropic-version"]) {
    throw new Refusal(400, "invalid_request_error", "anthropic-version: header is required");
  }
  if (!isObject(body)) throw new Refusal(400, "invalid_request_error", "The request body is not valid JSON");
  const unknown = Object.keys(body).find((name) => !parameters.has(name));
  if (unknown !== undefined) {
    throw new Refusal(400, "invalid_request_error", `${unknown}: Extra inputs are not permitted`);
  }
  for (const name of ["model", "max_tokens", "messages"]) {
    if (body[name] === undefined) throw new Refusal(400, "invalid_request_error", `${name}: Field required`);
  }
  if (
    !Array.isArray(body.messages) ||
    body.messages.some((message) => !isObject(message) || message.role === "system")
  ) {
    throw new Refusal(400, "invalid_request_error", "messages: Unexpected role or shape.");
  }
  return body;
}

function lastText(body: Body): string {
  const messages = Array.isArray(body.messages) ? body.messages : [];
  const last: unknown = messages.findLast((message: unknown) => isObject(message) && message.role === "user");
  const content = isObject(last) ? last.content : "";
  if (typeof content === "string") return content;
  return (Array.isArray(content) ? content : [])
    .map((part) => (isObject(part) && typeof part.text === "string" ? part.text : ""))
    .join("");
}

const refusals: Record<string, (prompt: string) => Refusal> = {
  "error-400-echo": (prompt) =>
    new Refusal(400, "invalid_request_error", `messages: the prompt "${prompt}" is refused`),
  "error-429": () => new Refusal(429, "rate_limit_error", "This request would exceed your rate limit."),
  "error-529": () => new Refusal(529, "overloaded_error", "Overloaded"),
  "error-context": () =>
    new Refusal(400, "invalid_request_error", "prompt is too long: 200251 tokens > 200000 maximum"),
};

async function answer(body: Body, response: ServerResponse, slowMs: number): Promise<void> {
  const prompt = lastText(body);
  const behaviour = /\[\[([a-z0-9-]+)\]\]/.exec(prompt)?.[1] ?? "echo";
  const refusal = refusals[behaviour];
  if (refusal) throw refusal(prompt);
  if (behaviour === "hang") return;
  const message = makeMessage(body, prompt, behaviour);
  if (behaviour === "slow") await sleep(slowMs);
  if (body.stream !== true) return sendJson(response, { status: 200, body: message, headers: answerHeaders() });
  const events = toEvents(message);
  response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8", ...answerHeaders() });
  const half = Math.ceil(events.length / 2);
  for (const [index, event] of events.entries()) {
    if (response.destroyed) return;
    if (index === half && behaviour === "break-mid-stream") return void response.destroy();
    if (index === half && behaviour === "error-mid-stream") {
      const error = { type: "error", error: { type: "overloaded_error", message: "Overloaded" } };
      response.end(`event: error\ndata: ${JSON.stringify(error)}\n\n`);
      return;
    }
    if (behaviour === "slow" && index > 0) await sleep(slowMs);
    await new Promise<void>((resolve) => {
      response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`, () => resolve());
    });
  }
  response.end();
}

type Block = Record<string, unknown> & { type: string };
type Message = Record<string, unknown> & { content: Block[]; usage: Record<string, unknown>; stop_reason: string };

function makeMessage(body: Body, prompt: string, behaviour: string): Message {
  const id = createHash("sha256").update(JSON.stringify(body)).digest("hex").slice(0, 24);
  const tool: unknown = Array.isArray(body.tools) ? body.tools[0] : undefined;
  const name = isObject(tool) && typeof tool.name === "string" ? tool.name : "get_weather";
  const text: Block = { type: "text", text: `Echo: ${prompt}` };
  const content: Block[] =
    behaviour === "tools"
      ? [text, { type: "tool_use", id: `toolu_${id}`, name, input: { location: "Paris", question: prompt } }]
      : behaviour === "thinking"
        ? [{ type: "thinking", thinking: `Thinking about: ${prompt}`, signature: "c2lnbmF0dXJl" }, text]
        : [text];
  return {
    ...{ id: `msg_${id}`, type: "message", role: "assistant", model: body.model, content },
    stop_reason: behaviour === "tools" ? "tool_use" : "end_turn",
    stop_sequence: null,
    usage: {
      input_tokens: 11,
      cache_creation_input_tokens: behaviour === "cached" ? 5 : 0,
      cache_read_input_tokens: behaviour === "cached" ? 100 : 0,
      output_tokens: 7,
      service_tier: "standard",
    },
  };
}

function toEvents(message: Message): (Record<string, unknown> & { type: string })[] {
  const { content, stop_reason: stopReason, usage, ...rest } = message;
  const start = { ...rest, content: [], stop_reason: null, usage: { ...usage, output_tokens: 1 } };
  return [
    { type: "message_start", message: start },
    { type: "ping" },
    ...content.flatMap((block, index) => blockEvents(block, index)),
    {
      type: "message_delta",
      delta: { stop_reason: stopReason, stop_sequence: null },
      usage: { output_tokens: usage.output_tokens },
    },
    { type: "message_stop" },
  ];
}

function blockEvents(block: Block, index: number): (Record<string, unknown> & { type: string })[] {
  const pieces = (text: string): string[] => text.match(/\s*\S+/g) ?? [];
  const delta = (value: object) => ({ type: "content_block_delta", index, delta: value });
  const empty =
    block.type === "tool_use"
      ? { ...block, input: {} }
      : block.type === "thinking"
        ? { type: "thinking", thinking: "", signature: "" }
        : { type: "text", text: "" };
  const deltas =
    block.type === "tool_use"
      ? pieces(JSON.stringify(block.input)).map((piece) => delta({ type: "input_json_delta", partial_json: piece }))
      : block.type === "thinking"
        ? [
            ...pieces(String(block.thinking)).map((piece) => delta({ type: "thinking_delta", thinking: piece })),
            delta({ type: "signature_delta", signature: block.signature }),
          ]
        : pieces(String(block.text)).map((piece) => delta({ type: "text_delta", text: piece }));
  return [
    { type: "content_block_start", index, content_block: empty },
    ...deltas,
    { type: "content_block_stop", index },
  ];
}

if (import.meta.main) {
  await runFakeCli(async (port) => {
    const fake = await startFakeAnthropic({ port });
    return { ...fake, port: Number(new URL(fake.url).port) };
  });
}
