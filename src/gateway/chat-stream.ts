import { ownError, type StreamAssembler, type StreamWire } from "#gateway/stream-wire.ts";
import { isJsonObject, type Json, type JsonObject } from "#logging/record.ts";

/** The stream of `/chat/completions`. */
export const chatWire: StreamWire = {
  makeAssembler: () => makeChatAssembler(),
  isEnd: () => false,
  errorOf: ownError,
  isUsageOnly: (chunk) => Array.isArray(chunk.choices) && chunk.choices.length === 0 && isJsonObject(chunk.usage),
};

/** The stream of `/completions`: choices hold `text` where those of a chat hold a delta. */
export const textWire: StreamWire = { ...chatWire, makeAssembler: () => makeChatAssembler("text_completion") };

/** A custom tool has free text as its input where a function has arguments. */
type ToolCall = { id: string | null; type: string; name: string; argumentParts: string[]; isCustom: boolean };

type Choice = {
  index: number;
  role: string;
  content: string[] | null;
  /** The text of a choice that has no message. */
  text: string[] | null;
  /** Text fields that some upstreams stream beside `content`, by name. */
  texts: Map<string, string[]>;
  toolCalls: Map<number, ToolCall>;
  functionCall: { name: string; argumentParts: string[] } | null;
  logprobs: Json[];
  finishReason: string | null;
};

/** Delta fields that are concatenated like `content`. */
const textFields = ["reasoning_content", "reasoning", "refusal"] as const;

/** Fields of a chunk that belong to the whole answer; the first chunk that has one decides. */
const answerFields = ["id", "created", "model", "system_fingerprint", "service_tier"] as const;

/** Makes the assembler of one stream, whose answer calls itself `object`. */
export function makeChatAssembler(object = "chat.completion"): StreamAssembler {
  const fields: JsonObject = {};
  const choices = new Map<number, Choice>();
  let usage: Json | undefined;
  /** False if something came after the last usage, which therefore does not count it. */
  let isAllCounted = false;
  let isEmpty = true;
  return {
    add(chunk) {
      isEmpty = false;
      for (const name of answerFields) {
        const value = chunk[name];
        if (fields[name] === undefined && value !== undefined && value !== null) fields[name] = value;
      }
      const parts = Array.isArray(chunk.choices) ? chunk.choices.filter(isJsonObject) : [];
      if (isJsonObject(chunk.usage)) {
        usage = chunk.usage;
        isAllCounted = true;
      } else if (parts.some(hasContent)) isAllCounted = false;
      for (const part of parts) addChoice(choices, part);
    },
    response() {
      if (isEmpty) return null;
      const sorted = [...choices.values()].sort((left, right) => left.index - right.index);
      return {
        ...fields,
        object,
        choices: sorted.map(toChoice),
        ...(usage === undefined ? {} : { usage }),
      };
    },
    usage: () => usage,
    isComplete: () => hasFinished(choices),
    isUsageFinal: () => isAllCounted && hasFinished(choices),
  };
}

function hasFinished(choices: ReadonlyMap<number, Choice>): boolean {
  return [...choices.values()].some(({ finishReason }) => finishReason !== null);
}

/** True if a part of a choice holds anything that a model wrote. */
function hasContent({ delta, text }: JsonObject): boolean {
  if (typeof text === "string" && text !== "") return true;
  if (!isJsonObject(delta)) return false;
  return Object.entries(delta).some(
    ([name, value]) =>
      name !== "role" &&
      value !== null &&
      (typeof value === "object" || typeof value === "string") &&
      Object.keys(value).length > 0,
  );
}

function addChoice(choices: Map<number, Choice>, part: JsonObject): void {
  const index = typeof part.index === "number" ? part.index : 0;
  let choice = choices.get(index);
  if (!choice) {
    choice = {
      index,
      role: "assistant",
      content: null,
      text: null,
      texts: new Map(),
      toolCalls: new Map(),
      functionCall: null,
      logprobs: [],
      finishReason: null,
    };
    choices.set(index, choice);
  }
  if (typeof part.finish_reason === "string") choice.finishReason = part.finish_reason;
  if (isJsonObject(part.logprobs) && Array.isArray(part.logprobs.content)) {
    for (const logprob of part.logprobs.content) choice.logprobs.push(logprob);
  }
  if (isJsonObject(part.delta)) addDelta(choice, part.delta);
  else if (typeof part.text === "string") (choice.text ??= []).push(part.text);
}

function addDelta(choice: Choice, delta: JsonObject): void {
  if (typeof delta.role === "string" && delta.role !== "") choice.role = delta.role;
  if (typeof delta.content === "string") (choice.content ??= []).push(delta.content);
  if (Array.isArray(delta.content)) for (const part of delta.content) addContentPart(choice, part);
  for (const name of textFields) addText(choice, name, delta[name]);
  if (Array.isArray(delta.tool_calls)) for (const call of delta.tool_calls) addToolCall(choice, call);
  if (isJsonObject(delta.function_call)) {
    choice.functionCall ??= { name: "", argumentParts: [] };
    choice.functionCall.name = joinName(choice.functionCall.name, delta.function_call.name);
    if (typeof delta.function_call.arguments === "string") {
      choice.functionCall.argumentParts.push(delta.function_call.arguments);
    }
  }
}

function addText(choice: Choice, name: (typeof textFields)[number], value: Json | undefined): void {
  if (typeof value !== "string") return;
  const parts = choice.texts.get(name);
  if (parts) parts.push(value);
  else choice.texts.set(name, [value]);
}

/** Mistral streams thoughts as parts of the content. https://docs.mistral.ai/capabilities/reasoning */
function addContentPart(choice: Choice, part: Json): void {
  if (!isJsonObject(part)) return;
  if (typeof part.text === "string") (choice.content ??= []).push(part.text);
  if (!Array.isArray(part.thinking)) return;
  for (const thought of part.thinking) if (isJsonObject(thought)) addText(choice, "reasoning_content", thought.text);
}

function addToolCall(choice: Choice, part: Json): void {
  if (!isJsonObject(part)) return;
  const index = typeof part.index === "number" ? part.index : indexWithout(choice.toolCalls, part);
  let call = choice.toolCalls.get(index);
  if (!call) {
    call = { id: null, type: "function", name: "", argumentParts: [], isCustom: false };
    choice.toolCalls.set(index, call);
  }
  if (typeof part.id === "string" && part.id !== "") call.id = part.id;
  if (typeof part.type === "string") call.type = part.type;
  if (isJsonObject(part.custom)) {
    call.isCustom = true;
    call.name = joinName(call.name, part.custom.name);
    if (typeof part.custom.input === "string") call.argumentParts.push(part.custom.input);
  }
  if (!isJsonObject(part.function)) return;
  call.name = joinName(call.name, part.function.name);
  if (typeof part.function.arguments === "string") call.argumentParts.push(part.function.arguments);
}

/** Some upstreams leave the index out: the same id goes on, a new id begins, and what has none belongs to the last. */
function indexWithout(calls: ReadonlyMap<number, ToolCall>, part: JsonObject): number {
  const known = [...calls].find(([, call]) => typeof part.id === "string" && part.id !== "" && call.id === part.id);
  if (known) return known[0];
  let last = -1;
  for (const index of calls.keys()) last = Math.max(last, index);
  return last >= 0 && (part.id === undefined || part.id === null || part.id === "") ? last : last + 1;
}

/** A name may come in pieces; some upstreams repeat it whole in every chunk instead. */
function joinName(name: string, part: Json | undefined): string {
  return typeof part !== "string" || part === name ? name : name + part;
}

function toChoice(choice: Choice): JsonObject {
  if (choice.text !== null)
    return { index: choice.index, text: choice.text.join(""), finish_reason: choice.finishReason };
  const message: JsonObject = { role: choice.role, content: choice.content?.join("") ?? null };
  for (const [name, parts] of choice.texts) message[name] = parts.join("");
  if (choice.toolCalls.size > 0) {
    message.tool_calls = [...choice.toolCalls]
      .sort(([left], [right]) => left - right)
      .map(([, call]) => toToolCall(call));
  }
  if (choice.functionCall) {
    message.function_call = { name: choice.functionCall.name, arguments: choice.functionCall.argumentParts.join("") };
  }
  return {
    index: choice.index,
    message,
    finish_reason: choice.finishReason,
    ...(choice.logprobs.length === 0 ? {} : { logprobs: { content: choice.logprobs } }),
  };
}

function toToolCall(call: ToolCall): JsonObject {
  if (call.isCustom) {
    return { id: call.id, type: "custom", custom: { name: call.name, input: call.argumentParts.join("") } };
  }
  return {
    id: call.id,
    type: call.type,
    function: { name: call.name, arguments: call.argumentParts.join("") },
  };
}
