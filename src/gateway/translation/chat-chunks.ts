import type { LanguageModelV4StreamPart } from "@ai-sdk/provider";
import { makeHead, toChatUsage, toFinishReason, toThinkingBlock } from "#gateway/translation/chat-answer.ts";
import type { JsonObject } from "#logging/record.ts";

/** Turns the parts of a provider's stream into OpenAI's chunks, one after the other. */
export type ChunkMaker = {
  /** The chunks that a part stands for; none where it says nothing new. */
  add(part: LanguageModelV4StreamPart): JsonObject[];
  /** True once the answer is complete. */
  isComplete(): boolean;
};

/** Makes the chunks of one answer. `includesUsage`: the last chunk holds the usage and no choice. */
export function makeChunks(model: string, includesUsage: boolean): ChunkMaker {
  let head = makeHead(model);
  let isOpen = false;
  let isOver = false;
  const tools = new Map<string, number>();
  const thoughts = new Map<string, string>();

  function chunk(delta: JsonObject, finishReason: string | null = null): JsonObject {
    const choice = { index: 0, delta, logprobs: null, finish_reason: finishReason };
    return { ...head, object: "chat.completion.chunk", choices: [choice] };
  }

  /** The first chunk says who speaks. */
  function say(delta: JsonObject): JsonObject[] {
    if (isOpen) return [chunk(delta)];
    isOpen = true;
    return [chunk({ role: "assistant", content: "", refusal: null }), chunk(delta)];
  }

  function beginTool(id: string, name: string, input: string): JsonObject[] {
    const index = tools.size;
    tools.set(id, index);
    return say({ tool_calls: [{ index, id, type: "function", function: { name, arguments: input } }] });
  }

  function end(part: Extract<LanguageModelV4StreamPart, { type: "finish" }>): JsonObject[] {
    // Libraries end their stream whether or not the vendor said that the answer is complete.
    if (part.finishReason.raw === undefined) return [];
    isOver = true;
    const last = chunk({}, toFinishReason(part.finishReason));
    const usage = { ...head, object: "chat.completion.chunk", choices: [], usage: toChatUsage(part.usage) };
    return [...(isOpen ? [] : say({})), last, ...(includesUsage ? [usage] : [])];
  }

  function add(part: LanguageModelV4StreamPart): JsonObject[] {
    switch (part.type) {
      case "response-metadata":
        if (part.modelId !== undefined && !isOpen) head = { ...head, model: part.modelId };
        return [];
      case "text-delta":
        return part.delta === "" ? [] : say({ content: part.delta });
      case "reasoning-start": {
        thoughts.set(part.id, "");
        const block = toThinkingBlock("", part.providerMetadata);
        return block === null ? [] : say({ thinking_blocks: [block] });
      }
      case "reasoning-delta": {
        const text = (thoughts.get(part.id) ?? "") + part.delta;
        thoughts.set(part.id, text);
        const block = toThinkingBlock(text, part.providerMetadata);
        const delta = {
          ...(part.delta === "" ? {} : { reasoning_content: part.delta }),
          ...(block === null ? {} : { thinking_blocks: [block] }),
        };
        return Object.keys(delta).length === 0 ? [] : say(delta);
      }
      case "tool-input-start":
        return beginTool(part.id, part.toolName, "");
      case "tool-input-delta": {
        const index = tools.get(part.id);
        return index === undefined || part.delta === ""
          ? []
          : say({ tool_calls: [{ index, function: { arguments: part.delta } }] });
      }
      // The whole call repeats what its deltas said, where there were any.
      case "tool-call":
        return tools.has(part.toolCallId) ? [] : beginTool(part.toolCallId, part.toolName, part.input);
      case "finish":
        return end(part);
      default:
        return [];
    }
  }

  return { add, isComplete: () => isOver };
}
