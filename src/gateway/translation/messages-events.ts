import { toMessageId, toMessageUsage, toStopReason } from "#gateway/translation/messages-answer.ts";
import { UpstreamError } from "#lib/errors.ts";
import { isJsonObject, type Json, type JsonObject } from "#logging/record.ts";

/** Turns OpenAI's chunks into the events of Anthropic's stream, one after the other. */
export type EventMaker = {
  add(chunk: JsonObject): JsonObject[];
  /** The last events. Throws `UpstreamError` where the chunks never said that the answer is complete. */
  end(): JsonObject[];
};

type State = {
  isStarted: boolean;
  /** The block that is being written, by its kind; tools by their place in the answer. */
  open: { kind: string; index: number } | null;
  blocks: number;
  stopReason: string | null;
  usage: Json | undefined;
  /** The kinds of the tool calls that were begun. */
  tools: Set<string>;
};

/** Makes the events of one answer. */
export function makeMessageEvents(): EventMaker {
  const state: State = {
    isStarted: false,
    open: null,
    blocks: 0,
    stopReason: null,
    usage: undefined,
    tools: new Set(),
  };
  return { add: (chunk) => add(state, chunk), end: () => end(state) };
}

function add(state: State, chunk: JsonObject): JsonObject[] {
  const events = start(state, chunk);
  if (isJsonObject(chunk.usage)) state.usage = chunk.usage;
  const [choice] = Array.isArray(chunk.choices) ? chunk.choices : [];
  if (!isJsonObject(choice)) return events;
  if (isJsonObject(choice.delta)) events.push(...addDelta(state, choice.delta));
  if (typeof choice.finish_reason === "string") state.stopReason ??= toStopReason(choice.finish_reason);
  return events;
}

function end(state: State): JsonObject[] {
  const { stopReason, usage } = state;
  if (stopReason === null) throw new UpstreamError(0, "The upstream's answer broke off before it was complete.");
  return [
    ...close(state),
    { type: "message_delta", delta: { stop_reason: stopReason, stop_sequence: null }, usage: toMessageUsage(usage) },
    { type: "message_stop" },
  ];
}

function start(state: State, { id, model }: JsonObject): JsonObject[] {
  if (state.isStarted) return [];
  state.isStarted = true;
  const message = {
    ...{ id: toMessageId(id), type: "message", role: "assistant", model: typeof model === "string" ? model : "" },
    ...{ content: [], stop_reason: null, stop_sequence: null, usage: toMessageUsage(undefined) },
  };
  return [{ type: "message_start", message }];
}

function close(state: State): JsonObject[] {
  if (state.open === null) return [];
  const { index } = state.open;
  state.open = null;
  return [{ type: "content_block_stop", index }];
}

/** The events that lead to a block of this kind. */
function enter(state: State, kind: string, block: JsonObject): JsonObject[] {
  if (state.open?.kind === kind) return [];
  const before = close(state);
  const index = state.blocks;
  state.open = { kind, index };
  state.blocks += 1;
  return [...before, { type: "content_block_start", index, content_block: block }];
}

function write({ open }: State, delta: JsonObject): JsonObject {
  return { type: "content_block_delta", index: open?.index ?? 0, delta };
}

function addDelta(state: State, delta: JsonObject): JsonObject[] {
  const events = addThought(state, delta);
  for (const text of [delta.content, delta.refusal]) {
    if (typeof text !== "string" || text === "") continue;
    events.push(...enter(state, "text", { type: "text", text: "" }), write(state, { type: "text_delta", text }));
  }
  if (typeof delta.refusal === "string" && delta.refusal !== "") state.stopReason = "refusal";
  for (const call of Array.isArray(delta.tool_calls) ? delta.tool_calls : []) events.push(...addTool(state, call));
  return events;
}

function addThought(state: State, delta: JsonObject): JsonObject[] {
  const { thinking_blocks: signed, reasoning_content: content, reasoning } = delta;
  const events: JsonObject[] = [];
  const text = content ?? reasoning;
  const empty = { type: "thinking", thinking: "", signature: "" };
  if (typeof text === "string" && text !== "") {
    events.push(...enter(state, "thinking", empty), write(state, { type: "thinking_delta", thinking: text }));
  }
  for (const block of Array.isArray(signed) ? signed : []) {
    if (!isJsonObject(block)) continue;
    if (block.type === "redacted_thinking") {
      events.push(...enter(state, `redacted ${state.blocks}`, block));
      continue;
    }
    const signature = block.signature ?? "";
    events.push(...enter(state, "thinking", empty), write(state, { type: "signature_delta", signature }));
    events.push(...close(state));
  }
  return events;
}

function addTool(state: State, call: Json): JsonObject[] {
  if (!isJsonObject(call)) return [];
  const { id, index } = call;
  const called = isJsonObject(call.function) ? call.function : {};
  const kind = `tool ${typeof index === "number" ? index : typeof id === "string" ? id : ""}`;
  if (state.tools.has(kind) && state.open?.kind !== kind) {
    throw new UpstreamError(0, "The upstream's answer goes back to a tool call that it had left.");
  }
  state.tools.add(kind);
  const events = enter(state, kind, { type: "tool_use", id: id ?? "", name: called.name ?? "", input: {} });
  const text = called.arguments;
  if (typeof text === "string" && text !== "") {
    events.push(write(state, { type: "input_json_delta", partial_json: text }));
  }
  return events;
}
