import type { IncomingMessage, ServerResponse } from "node:http";
import { readBody, runFakeCli, sendJson, startFakeServer } from "./fake-server.ts";
import { makeEmbeddings } from "./openai-answer.ts";
import {
  answerChat,
  answersAsBroken,
  chooseBehaviour,
  errors,
  isBrokenByFake,
  markedBehaviour,
} from "./openai-chat.ts";
import { openaiHeaders, type Exchange, type FakeOpenaiCall } from "./openai-chat.ts";
import { answerOther, otherPaths, parseForm } from "./openai-other.ts";
import { parseBody, parseChatRequest, parseEmbeddingRequest } from "./openai-request.ts";
import { OpenaiRefusal, checkKey, refuse } from "./openai-request.ts";

/**
 * A stand-in for OpenAI's API: `POST /v1/chat/completions` (streamed or not), `POST /v1/embeddings`, `GET /v1/models`,
 * and what `openai-other.ts` lists.
 * It refuses what the real one refuses (no key, unknown parameters, bad messages, `stream_options` without `stream`,
 * `metadata` without `store`) and remembers every call.
 *
 * What it answers is chosen by the request's `model`, or else by `[[name]]` in the last user message:
 *
 * | name | answer |
 * |---|---|
 * | anything else | `Echo: ` and the last user message; further choices of `n` say `Echo 2: ` and so on |
 * | `slow` | the echo, with `slowMs` before the first byte and before each chunk |
 * | `hang` | nothing, ever |
 * | `hang-mid-stream` | half of the answer, then nothing |
 * | `error-401`, `error-500` | that error |
 * | `error-context` | an error: the prompt is too long for the model |
 * | `error-429` | rate limit with `retry-after: 1` |
 * | `error-400-echo` | an error whose text quotes the prompt |
 * | `error-mid-stream` | half of the stream, then a frame with an error and the end, without `[DONE]` |
 * | `break-at-once` | the connection is destroyed before any byte |
 * | `break-mid-stream` | the connection is destroyed in the middle of the answer, streamed or not |
 * | `flaky` | error 500 the first time that a prompt is seen, the echo after that |
 * | `tools` | two tool calls; streamed, their arguments come in fragments by index |
 * | `reasoning_content` | the echo, and before it reasoning (as DeepSeek, vLLM and others send it) |
 * | `refusal` | a refusal instead of content |
 * | `big` | 1 MiB of text |
 * | `cached` | the echo, with cached tokens in the usage |
 * | `html-502` | a 502 with an HTML page |
 * | `invalid-json` | a 200 that says JSON and is none |
 */

/** How to run the fake. */
export type FakeOpenaiOptions = {
  port?: number;
  /** The only key that is accepted; without it every key is. */
  apiKey?: string;
  /** The only models that exist; without it every model does. `GET /v1/models` lists them. */
  models?: readonly string[];
  /** The pauses of `slow` (200). */
  slowMs?: number;
};

/** The running fake. `calls` is in order of arrival and may be emptied by the caller. */
export type FakeOpenai = {
  port: number;
  url: string;
  /** `url` with `/v1`, which is what clients call the base URL. */
  baseUrl: string;
  calls: FakeOpenaiCall[];
  close(): Promise<void>;
};

/** Starts the fake on 127.0.0.1. */
export async function startFakeOpenai(options: FakeOpenaiOptions = {}): Promise<FakeOpenai> {
  const calls: FakeOpenaiCall[] = [];
  const flakyPrompts = new Set<string>();
  const server = await startFakeServer(async (request, response) => {
    const call = startCall(request, response);
    calls.push(call);
    const exchange = { call, response, slowMs: options.slowMs ?? 200 };
    const bytes = await readBody(request);
    try {
      checkRoute(call);
      checkKey(request.headers.authorization, options.apiKey);
      if (call.path === "/v1/models") return sendModels(exchange, options.models);
      const form = await parseForm(bytes, request.headers["content-type"]);
      const body = form ?? parseBody(bytes.toString("utf8"), request.headers["content-type"]);
      call.body = body;
      checkModel(body.model, options.models);
      if (call.path === "/v1/embeddings") return answerEmbeddings(exchange, body);
      if (call.path !== "/v1/chat/completions") return await answerOther(exchange, body);
      const chat = parseChatRequest(body);
      call.behaviour = chooseBehaviour(chat, flakyPrompts);
      return await answerChat(exchange, chat);
    } catch (error) {
      if (!(error instanceof OpenaiRefusal)) throw error;
      sendRefusal(exchange, error);
    }
  }, options.port);
  return { ...server, baseUrl: `${server.url}/v1`, calls };
}

function startCall(request: IncomingMessage, response: ServerResponse): FakeOpenaiCall {
  const [path = "", query = ""] = (request.url ?? "").split("?");
  const call: FakeOpenaiCall = {
    method: request.method ?? "",
    path,
    query,
    headers: request.headers,
    body: undefined,
    behaviour: "echo",
    status: 0,
    aborted: false,
  };
  // Writing to a client that left is no fault of the fake.
  response.on("error", () => undefined);
  response.on("close", () => {
    // What the fake destroys itself was destroyed before this event; only a client's leaving is an abort.
    call.aborted = !response.writableFinished && !isBrokenByFake(response);
  });
  return call;
}

function answerEmbeddings(exchange: Exchange, body: Record<string, unknown>): void {
  const { call, response } = exchange;
  const request = parseEmbeddingRequest(body);
  const prompt = request.inputs.join(" ");
  call.behaviour = request.model in errors ? request.model : markedBehaviour(prompt);
  if (answersAsBroken(exchange, prompt)) return;
  call.status = 200;
  const answer = makeEmbeddings(request.model, request.inputs, request.base64);
  sendJson(response, { status: 200, body: answer, headers: openaiHeaders() });
}

function sendModels({ call, response }: Exchange, models: readonly string[] = ["gpt-4o", "gpt-4o-mini"]): void {
  call.status = 200;
  const data = models.map((id) => ({ id, object: "model", created: 1_715_367_049, owned_by: "system" }));
  sendJson(response, { status: 200, body: { object: "list", data }, headers: openaiHeaders() });
}

function checkRoute({ method, path }: FakeOpenaiCall): void {
  const expected = new Map([
    ["/v1/chat/completions", "POST"],
    ["/v1/embeddings", "POST"],
    ["/v1/models", "GET"],
    ...otherPaths.map((other): [string, string] => [other, "POST"]),
  ]).get(path);
  if (expected === undefined) throw refuse(404, `Invalid URL (${method} ${path})`);
  if (expected === method) return;
  const hint = "(HINT: Perhaps you meant to use a different HTTP method?)";
  throw refuse(405, `Not allowed to ${method} on ${path}. ${hint}`);
}

function checkModel(model: unknown, models: readonly string[] | undefined): void {
  if (!models || typeof model !== "string" || models.includes(model)) return;
  const message = `The model \`${model}\` does not exist or you do not have access to it.`;
  throw refuse(404, message, { code: "model_not_found" });
}

function sendRefusal({ call, response }: Exchange, refusal: OpenaiRefusal): void {
  call.status = refusal.status;
  const retryAfter: Record<string, string> = refusal.status === 429 ? { "retry-after": "1" } : {};
  const headers = { ...openaiHeaders(), ...retryAfter };
  sendJson(response, { status: refusal.status, body: { error: refusal.error }, headers });
}

if (import.meta.main) await runFakeCli((port) => startFakeOpenai({ port }));
