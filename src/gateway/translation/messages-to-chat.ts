import type { CacheControl } from "#gateway/translation/chat-message.ts";
import {
  isThought,
  type AnthropicMessage,
  type AssistantBlock,
  type MessagesRequest,
  type UserBlock,
} from "#gateway/translation/messages-request.ts";
import { refuseField } from "#gateway/translation/refuse-field.ts";
import type { Json, JsonObject } from "#logging/record.ts";

/** What a model of OpenAI's chat takes beside OpenAI's own words. */
export type ChatTarget = {
  vendor: string;
  model: string;
  /** True where signed thoughts, marks of the cache and pictures in tool results have words: for translated vendors. */
  isTranslated: boolean;
};

/** A request of Anthropic's API in the words of OpenAI's chat. */
export function toChatBody(request: MessagesRequest, target: ChatTarget): JsonObject {
  const { thinking, output_config: output, metadata, stream, tool_choice: choice } = request;
  const format = output?.format;
  const effort = output?.effort ?? (target.isTranslated ? undefined : toEffort(thinking));
  return {
    model: request.model,
    messages: [
      ...toSystem(request, target),
      ...request.messages.flatMap((message, index) => toChat(message, index, target)),
    ],
    // https://platform.openai.com/docs/guides/reasoning: models that reason know no max_tokens.
    [/^(o\d|gpt-5)/.test(target.model) ? "max_completion_tokens" : "max_tokens"]: request.max_tokens,
    ...given("temperature", request.temperature),
    ...given("top_p", request.top_p),
    ...given("stop", request.stop_sequences),
    ...given(
      "tools",
      request.tools?.map((tool) => toTool(tool, target)),
    ),
    ...(choice === undefined ? {} : toChoice(choice)),
    ...given("thinking", target.isTranslated ? thinking : undefined),
    ...given("reasoning_effort", effort),
    ...(format === undefined
      ? {}
      : { response_format: { type: "json_schema", json_schema: { name: "answer", schema: format.schema } } }),
    ...given("user", metadata?.user_id ?? undefined),
    ...(stream === true ? { stream, stream_options: { include_usage: true } } : {}),
  };
}

function given(name: string, value: Json | undefined): JsonObject {
  return value === undefined ? {} : { [name]: value };
}

function toSystem({ system }: MessagesRequest, target: ChatTarget): JsonObject[] {
  if (system === undefined || system.length === 0) return [];
  return [{ role: "system", content: system.map((block) => toText(block, target)) }];
}

function toText(block: Extract<UserBlock, { type: "text" }>, target: ChatTarget): JsonObject {
  return { type: "text", text: block.text, ...mark(block, target) };
}

/** OpenAI's upstreams cache by themselves: the mark is no part of what is asked. */
function mark({ cache_control: cache }: Marked, { isTranslated }: ChatTarget): JsonObject {
  if (!isTranslated || !cache) return {};
  return { cache_control: { type: cache.type, ...given("ttl", cache.ttl) } };
}

type Marked = { cache_control?: CacheControl | null | undefined };

function toChat(message: AnthropicMessage, index: number, target: ChatTarget): JsonObject[] {
  return message.role === "user" ? toUser(message.content, index, target) : [toAssistant(message.content, target)];
}

/** Results of tools are messages of their own, and come first. */
function toUser(blocks: readonly UserBlock[], index: number, target: ChatTarget): JsonObject[] {
  const results: JsonObject[] = [];
  const parts: JsonObject[] = [];
  for (const [place, block] of blocks.entries()) {
    if (block.type === "tool_result") results.push(toResult(block, `messages.${index}.content.${place}`, target));
    else parts.push(toPart(block, target));
  }
  return parts.length === 0 ? results : [...results, { role: "user", content: plain(parts) }];
}

/** A lone text is what every server of OpenAI's wire takes. */
function plain(parts: JsonObject[]): Json {
  const [only] = parts;
  return parts.length === 1 && only?.type === "text" && Object.keys(only).length === 2 ? (only.text ?? "") : parts;
}

function toPart(block: Exclude<UserBlock, { type: "tool_result" }>, target: ChatTarget): JsonObject {
  switch (block.type) {
    case "text":
      return toText(block, target);
    case "image": {
      const { source } = block;
      const url = source.type === "url" ? source.url : `data:${source.media_type};base64,${source.data}`;
      return { type: "image_url", image_url: { url }, ...mark(block, target) };
    }
    case "document": {
      const { media_type: type, data } = block.source;
      const file = { filename: block.title ?? "document.pdf", file_data: `data:${type};base64,${data}` };
      return { type: "file", file, ...mark(block, target) };
    }
  }
}

function toResult(block: Extract<UserBlock, { type: "tool_result" }>, path: string, target: ChatTarget): JsonObject {
  const content = block.content ?? [];
  const picture = content.findIndex(({ type }) => type === "image");
  if (picture !== -1 && !target.isTranslated) {
    const field = `${path}.content.${picture}`;
    throw refuseField(field, `${field} cannot be translated for ${target.vendor}: a tool's result is text there.`);
  }
  const parts = content.map((part) => toPart(part, target));
  const told = block.is_error === true ? [{ type: "text", text: "The tool failed." }, ...parts] : parts;
  return {
    role: "tool",
    tool_call_id: block.tool_use_id,
    content: told.length === 0 ? "" : plain(told),
    ...mark(block, target),
  };
}

function toAssistant(blocks: readonly AssistantBlock[], target: ChatTarget): JsonObject {
  const texts: JsonObject[] = [];
  const calls: JsonObject[] = [];
  const thoughts: JsonObject[] = [];
  for (const block of blocks) {
    if (isThought(block)) thoughts.push(block);
    else if (block.type === "text") texts.push(toText(block, target));
    else {
      const called = { name: block.name, arguments: JSON.stringify(block.input) };
      calls.push({ id: block.id, type: "function", function: called });
    }
  }
  return {
    role: "assistant",
    content: texts.length === 0 ? null : plain(texts),
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
    ...(target.isTranslated && thoughts.length > 0 ? { thinking_blocks: thoughts } : {}),
  };
}

function toTool(tool: NonNullable<MessagesRequest["tools"]>[number], target: ChatTarget): JsonObject {
  const { name, description, input_schema: parameters } = tool;
  return {
    type: "function",
    function: { name, ...given("description", description), parameters },
    ...mark(tool, target),
  };
}

function toChoice(choice: NonNullable<MessagesRequest["tool_choice"]>): JsonObject {
  const words = { auto: "auto", any: "required", none: "none" };
  const isAlone = "disable_parallel_tool_use" in choice && choice.disable_parallel_tool_use === true;
  return {
    tool_choice: choice.type === "tool" ? { type: "function", function: { name: choice.name } } : words[choice.type],
    ...(isAlone ? { parallel_tool_calls: false } : {}),
  };
}

/** OpenAI's upstreams know an effort where Anthropic's know a budget; the steps are LiteLLM's. */
function toEffort(thinking: MessagesRequest["thinking"]): string | undefined {
  if (thinking?.type !== "enabled") return undefined;
  if (thinking.budget_tokens >= 10_000) return "high";
  return thinking.budget_tokens >= 5_000 ? "medium" : "low";
}
