import type { LanguageModelV4FilePart, LanguageModelV4Message, SharedV4ProviderOptions } from "@ai-sdk/provider";
import type { ChatMessage, ContentPart, ThinkingBlock } from "#gateway/translation/chat-message.ts";
import { refuseField } from "#gateway/translation/refuse-field.ts";

/** How a vendor writes what the common prompt has no word for. */
export type PromptWords = {
  vendor: string;
  /** The vendor's own options for a part up to which it may cache. */
  cacheOptions(ttl: "5m" | "1h" | undefined): SharedV4ProviderOptions;
  /** The vendor's own options for a thought that it wants back; null where it takes none. */
  thoughtOptions(thought: ThinkingBlock): SharedV4ProviderOptions | null;
  /** False for an address of a file that the vendor does not fetch by itself. */
  fetches(url: URL, mediaType: string): boolean;
};

/** The messages of a chat as the prompt of a provider. Throws a 400 that names the part that has no equal there. */
export function toPrompt(messages: readonly ChatMessage[], words: PromptWords): LanguageModelV4Message[] {
  const toolNames = new Map<string, string>();
  return messages.map((message, index) => {
    const options = optionsOf(message, words);
    switch (message.role) {
      case "system":
      case "developer":
        return toSystem(message, words);
      case "user":
        return { role: "user", content: toContent(message.content, `messages.${index}.content`, words), ...options };
      case "assistant":
        return { role: "assistant", content: toAssistantContent(message, toolNames, words), ...options };
      case "tool": {
        const toolName = toolNames.get(message.tool_call_id) ?? message.name ?? "unknown";
        const output = toToolOutput(message.content, `messages.${index}.content`, words);
        return {
          role: "tool",
          content: [{ type: "tool-result", toolCallId: message.tool_call_id, toolName, output }],
          ...options,
        };
      }
    }
  });
}

type Content = Extract<LanguageModelV4Message, { role: "user" }>["content"];
type AssistantContent = Extract<LanguageModelV4Message, { role: "assistant" }>["content"];
type ToolContent = Extract<LanguageModelV4Message, { role: "tool" }>["content"][number];
type ToolOutput = Extract<ToolContent, { type: "tool-result" }>["output"];
type Cached = { cache_control?: { ttl?: "5m" | "1h" | undefined } | null | undefined };

function optionsOf({ cache_control: mark }: Cached, words: PromptWords): { providerOptions?: SharedV4ProviderOptions } {
  return mark ? { providerOptions: words.cacheOptions(mark.ttl) } : {};
}

/** A system prompt is one text for a provider; the mark of its last part stands for all of it. */
function toSystem(
  message: Extract<ChatMessage, { role: "system" | "developer" }>,
  words: PromptWords,
): LanguageModelV4Message {
  const marked = message.content.findLast((part) => part.cache_control) ?? message;
  return {
    role: "system",
    content: message.content.map(({ text }) => text).join("\n\n"),
    ...optionsOf(marked, words),
  };
}

function toContent(parts: readonly ContentPart[], path: string, words: PromptWords): Content {
  return parts.map((part, index) => {
    const options = optionsOf(part, words);
    switch (part.type) {
      case "text":
        return { type: "text", text: part.text, ...options };
      case "image_url":
        return {
          ...toFile(part.image_url.url, "image/*", { path: `${path}.${index}.image_url.url`, words }),
          ...options,
        };
      case "file": {
        const { file_data: data, filename } = part.file;
        const file = toFile(data, "application/pdf", { path: `${path}.${index}.file.file_data`, words });
        return { ...file, ...(filename === undefined ? {} : { filename }), ...options };
      }
    }
  });
}

type FilePlace = { path: string; words: PromptWords };

/** A file that stands in a `data:` URL, or at an address that the vendor fetches; we fetch nothing for a client. */
function toFile(url: string, mediaType: string, { path, words }: FilePlace): LanguageModelV4FilePart {
  const inline = /^data:([^;,]+);base64,(.*)$/s.exec(url);
  if (inline) {
    const [, type = mediaType, data = ""] = inline;
    return { type: "file", mediaType: type, data: { type: "data", data } };
  }
  const address = URL.parse(url);
  if (address && words.fetches(address, mediaType))
    return { type: "file", mediaType, data: { type: "url", url: address } };
  throw refuseField(path, `${path} cannot be translated for ${words.vendor}: send the file as a data: URL in base64.`);
}

function toAssistantContent(
  { content, tool_calls: calls, thinking_blocks: thoughts }: Extract<ChatMessage, { role: "assistant" }>,
  toolNames: Map<string, string>,
  words: PromptWords,
): AssistantContent {
  const all: AssistantContent = [];
  for (const thought of thoughts ?? []) {
    const providerOptions = words.thoughtOptions(thought);
    if (providerOptions === null) continue;
    all.push({ type: "reasoning", text: thought.type === "thinking" ? thought.thinking : "", providerOptions });
  }
  // An empty text beside tool calls is a client's filling; vendors refuse it.
  for (const part of content ?? []) {
    if (part.text !== "") all.push({ type: "text", text: part.text, ...optionsOf(part, words) });
  }
  for (const { id, function: called } of calls ?? []) {
    toolNames.set(id, called.name);
    all.push({ type: "tool-call", toolCallId: id, toolName: called.name, input: called.arguments });
  }
  return all;
}

function toToolOutput(parts: readonly ContentPart[], path: string, words: PromptWords): ToolOutput {
  const content = toContent(parts, path, words);
  const [only] = content;
  if (content.length === 1 && only?.type === "text" && only.providerOptions === undefined) {
    return { type: "text", value: only.text };
  }
  return { type: "content", value: content };
}
