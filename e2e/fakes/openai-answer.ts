import { randomBytes } from "node:crypto";
import { lastUserText, textOf } from "./openai-request.ts";
import type { ChatRequest } from "./openai-request.ts";

/** The answers of the fake, as objects and as the chunks of a stream, in the shapes of OpenAI's API. */

/** A tool call of an answer. */
export type ToolCall = { id: string; type: "function"; function: { name: string; arguments: string } };

/** A whole `chat.completion`. */
export type Completion = {
  id: string;
  object: "chat.completion";
  created: number;
  model: string;
  choices: CompletionChoice[];
  usage: CompletionUsage;
  service_tier: "default";
  system_fingerprint: string;
};

/** One choice of it. */
export type CompletionChoice = {
  index: number;
  message: {
    role: "assistant";
    content: string | null;
    refusal: string | null;
    annotations: [];
    tool_calls?: ToolCall[];
    reasoning_content?: string;
  };
  logprobs: null;
  finish_reason: "stop" | "tool_calls";
};

/** Token counts: a token is counted as four characters, a message as three tokens more. */
export type CompletionUsage = {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
  prompt_tokens_details: { cached_tokens: number; audio_tokens: number };
  completion_tokens_details: {
    reasoning_tokens: number;
    audio_tokens: number;
    accepted_prediction_tokens: number;
    rejected_prediction_tokens: number;
  };
};

/** A `chat.completion.chunk`. */
export type Chunk = Record<string, unknown>;

const fingerprint = "fp_50cad350e4";
const datedModels: Record<string, string> = { "gpt-4o": "gpt-4o-2024-08-06", "gpt-4o-mini": "gpt-4o-mini-2024-07-18" };
const bigAnswerBytes = 1_048_576;

/** The answer to a request under a behaviour; an unknown behaviour echoes the last user message. */
export function makeCompletion(request: ChatRequest, behaviour: string): Completion {
  const choices: CompletionChoice[] = [];
  for (let index = 0; index < request.n; index += 1) choices.push(makeChoice(request, behaviour, index));
  return {
    id: `chatcmpl-${randomBytes(15).toString("hex").slice(0, 29)}`,
    object: "chat.completion",
    created: Math.floor(Date.now() / 1000),
    model: datedModels[request.model] ?? request.model,
    choices,
    usage: makeUsage(request, behaviour, choices),
    service_tier: "default",
    system_fingerprint: fingerprint,
  };
}

/**
 * The same answer as a stream: per choice a role chunk, content (or reasoning, refusal, tool argument) chunks and a
 * finish chunk; at the end a chunk with usage and no choices, only where the request asked for it.
 */
export function toChunks(completion: Completion, request: ChatRequest): Chunk[] {
  const head = {
    id: completion.id,
    object: "chat.completion.chunk",
    created: completion.created,
    model: completion.model,
    service_tier: completion.service_tier,
    system_fingerprint: completion.system_fingerprint,
  };
  const usage = request.includeUsage ? { usage: null } : {};
  const chunk = (index: number, delta: unknown, finishReason: string | null): Chunk => ({
    ...head,
    choices: [{ index, delta, logprobs: null, finish_reason: finishReason }],
    ...usage,
    ...(request.includeObfuscation ? { obfuscation: randomBytes(6).toString("base64url") } : {}),
  });
  const perChoice = completion.choices.map((choice) => [
    ...deltasOf(choice).map((delta) => chunk(choice.index, delta, null)),
    chunk(choice.index, {}, choice.finish_reason),
  ]);
  const chunks = interleave(perChoice);
  if (request.includeUsage) chunks.push({ ...head, choices: [], usage: completion.usage });
  return chunks;
}

/** The answer of `/v1/embeddings`: eight numbers per input, derived from its characters. */
export function makeEmbeddings(model: string, inputs: readonly string[], base64: boolean): Record<string, unknown> {
  const tokens = inputs.reduce((sum, input) => sum + countTokens(input), 0);
  return {
    object: "list",
    data: inputs.map((input, index) => {
      const vector = Array.from({ length: 8 }, (_, place) => ((input.charCodeAt(place % input.length) % 97) + 1) / 100);
      const embedding = base64 ? Buffer.from(Float32Array.from(vector).buffer).toString("base64") : vector;
      return { object: "embedding", index, embedding };
    }),
    model,
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  };
}

function makeChoice(request: ChatRequest, behaviour: string, index: number): CompletionChoice {
  const prompt = lastUserText(request.messages);
  const echo = index === 0 ? `Echo: ${prompt}` : `Echo ${String(index + 1)}: ${prompt}`;
  return {
    index,
    message: {
      role: "assistant",
      content: behaviour === "tools" || behaviour === "refusal" ? null : behaviour === "big" ? bigText(prompt) : echo,
      refusal: behaviour === "refusal" ? "I'm sorry, I can't assist with that request." : null,
      annotations: [],
      ...(behaviour === "tools" ? { tool_calls: makeToolCalls(request) } : {}),
      ...(behaviour === "reasoning_content" ? { reasoning_content: `Thinking about: ${prompt}` } : {}),
    },
    logprobs: null,
    finish_reason: behaviour === "tools" ? "tool_calls" : "stop",
  };
}

function makeToolCalls(request: ChatRequest): ToolCall[] {
  const name = request.toolName ?? "get_weather";
  const prompt = lastUserText(request.messages);
  return ["Paris", "Berlin"].map((location) => ({
    id: `call_${randomBytes(12).toString("hex")}`,
    type: "function",
    function: { name, arguments: JSON.stringify({ location, question: prompt }) },
  }));
}

function bigText(prompt: string): string {
  const sentence = `Echo: ${prompt} `;
  return sentence.repeat(Math.ceil(bigAnswerBytes / sentence.length)).slice(0, bigAnswerBytes);
}

function makeUsage(request: ChatRequest, behaviour: string, choices: readonly CompletionChoice[]): CompletionUsage {
  const promptTokens = request.messages.reduce((sum, message) => sum + countTokens(textOf(message.content)) + 3, 3);
  const reasoningTokens = choices.reduce((sum, { message }) => sum + countTokens(message.reasoning_content ?? ""), 0);
  const completionTokens = choices.reduce(
    (sum, { message }) =>
      sum +
      countTokens(message.content ?? message.refusal ?? "") +
      countTokens((message.tool_calls ?? []).map((call) => call.function.arguments).join("")),
    reasoningTokens,
  );
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
    prompt_tokens_details: { cached_tokens: behaviour === "cached" ? promptTokens - 2 : 0, audio_tokens: 0 },
    completion_tokens_details: {
      reasoning_tokens: reasoningTokens,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  };
}

function deltasOf({ message }: CompletionChoice): unknown[] {
  const first = { role: "assistant", content: message.tool_calls ? null : "", refusal: null };
  const deltas: unknown[] = [];
  for (const piece of pieces(message.reasoning_content ?? "")) deltas.push({ reasoning_content: piece });
  for (const piece of pieces(message.content ?? "")) deltas.push({ content: piece });
  for (const piece of pieces(message.refusal ?? "")) deltas.push({ refusal: piece });
  for (const [index, call] of (message.tool_calls ?? []).entries()) {
    const { name } = call.function;
    deltas.push({ tool_calls: [{ index, id: call.id, type: call.type, function: { name, arguments: "" } }] });
    for (const piece of pieces(call.function.arguments)) {
      deltas.push({ tool_calls: [{ index, function: { arguments: piece } }] });
    }
  }
  return [first, ...deltas];
}

/** Cuts a text into words with their spaces, or a long one into 4 kB pieces; no surrogate pair is cut. */
function pieces(text: string): string[] {
  return text.match(text.length > 65_536 ? /[^]{1,4096}/gu : /\s*\S+|\s+$/gu) ?? [];
}

function interleave<T>(lists: readonly T[][]): T[] {
  const longest = Math.max(0, ...lists.map((list) => list.length));
  const mixed: T[] = [];
  for (let place = 0; place < longest; place += 1) {
    for (const list of lists) {
      const item = list[place];
      if (item !== undefined) mixed.push(item);
    }
  }
  return mixed;
}

function countTokens(text: string): number {
  return Math.ceil(text.length / 4);
}
