import { z } from "zod";
import { CacheControl, type ThinkingBlock } from "#gateway/translation/chat-message.ts";
import { toRefusal } from "#gateway/translation/refuse-field.ts";
import { isJsonObject, type JsonObject } from "#logging/record.ts";

const cached = { cache_control: CacheControl.nullish() };
const TextBlock = z.strictObject({
  type: z.literal("text"),
  text: z.string(),
  citations: z.array(z.unknown()).nullish(),
  ...cached,
});
const Source = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("base64"), media_type: z.string(), data: z.string() }),
  z.strictObject({ type: z.literal("url"), url: z.string() }),
]);
const ImageBlock = z.strictObject({ type: z.literal("image"), source: Source, ...cached });
const DocumentBlock = z.strictObject({
  type: z.literal("document"),
  source: z.strictObject({ type: z.literal("base64"), media_type: z.string(), data: z.string() }),
  title: z.string().nullish(),
  ...cached,
});
const unknownBlock = "is no kind of block that can be translated";
const texts = z.preprocess(asBlocks, z.array(TextBlock));
const ToolResultBlock = z.strictObject({
  type: z.literal("tool_result"),
  tool_use_id: z.string(),
  content: z.preprocess(
    asBlocks,
    z.array(z.discriminatedUnion("type", [TextBlock, ImageBlock], { error: unknownBlock })).optional(),
  ),
  is_error: z.boolean().nullish(),
  ...cached,
});
const ToolUseBlock = z.strictObject({
  type: z.literal("tool_use"),
  id: z.string(),
  name: z.string(),
  input: z.custom<JsonObject>(isJsonObject, "must be an object"),
  ...cached,
});
const Thinking = z.strictObject({ type: z.literal("thinking"), thinking: z.string(), signature: z.string() });
const Redacted = z.strictObject({ type: z.literal("redacted_thinking"), data: z.string() });

const Message = z.discriminatedUnion("role", [
  z.strictObject({
    role: z.literal("user"),
    content: z.preprocess(
      asBlocks,
      z.array(
        z.discriminatedUnion("type", [TextBlock, ImageBlock, DocumentBlock, ToolResultBlock], { error: unknownBlock }),
      ),
    ),
  }),
  z.strictObject({
    role: z.literal("assistant"),
    content: z.preprocess(
      asBlocks,
      z.array(z.discriminatedUnion("type", [TextBlock, ToolUseBlock, Thinking, Redacted], { error: unknownBlock })),
    ),
  }),
]);

const Tool = z.strictObject({
  type: z.literal("custom").nullish(),
  name: z.string(),
  description: z.string().optional(),
  input_schema: z.custom<JsonObject>(isJsonObject, "must be a JSON schema"),
  ...cached,
});

const parallel = { disable_parallel_tool_use: z.boolean().optional() };
const JsonFormat = z.strictObject({
  type: z.literal("json_schema"),
  schema: z.custom<JsonObject>(isJsonObject, "must be a JSON schema"),
});

/** The fields of Anthropic's Messages API that OpenAI's chat has words for. */
const MessagesRequest = z.strictObject({
  model: z.string(),
  max_tokens: z.number().int().positive(),
  messages: z.array(Message),
  system: texts.optional(),
  stream: z.boolean().optional(),
  temperature: z.number().optional(),
  top_p: z.number().optional(),
  stop_sequences: z.array(z.string()).optional(),
  tools: z.array(Tool).optional(),
  tool_choice: z
    .discriminatedUnion("type", [
      z.strictObject({ type: z.literal("auto"), ...parallel }),
      z.strictObject({ type: z.literal("any"), ...parallel }),
      z.strictObject({ type: z.literal("none") }),
      z.strictObject({ type: z.literal("tool"), name: z.string(), ...parallel }),
    ])
    .optional(),
  thinking: z
    .discriminatedUnion("type", [
      z.strictObject({ type: z.literal("enabled"), budget_tokens: z.number().int().positive() }),
      z.strictObject({ type: z.literal("disabled") }),
      z.strictObject({ type: z.literal("adaptive") }),
    ])
    .optional(),
  output_config: z
    .strictObject({ format: JsonFormat.optional(), effort: z.enum(["low", "medium", "high", "xhigh"]).optional() })
    .optional(),
  metadata: z.strictObject({ user_id: z.string().nullish() }).optional(),
  service_tier: z.literal("auto").optional(),
});
export type MessagesRequest = z.output<typeof MessagesRequest>;

/** One message of a conversation. */
export type AnthropicMessage = MessagesRequest["messages"][number];
/** One block of what a user says. */
export type UserBlock = Extract<AnthropicMessage, { role: "user" }>["content"][number];
/** One block of what the model said. */
export type AssistantBlock = Extract<AnthropicMessage, { role: "assistant" }>["content"][number];

/** True for what a model thought. */
export function isThought(block: AssistantBlock): block is Extract<AssistantBlock, ThinkingBlock> {
  return block.type === "thinking" || block.type === "redacted_thinking";
}

/** Reads a body in Anthropic's words; what OpenAI's chat cannot say is a 400 that names the field, or left out. */
export function readMessagesRequest(
  body: JsonObject,
  { vendor, drops }: { vendor: string; drops: boolean },
): { request: MessagesRequest; dropped: string[] } {
  const fields: JsonObject = {};
  const dropped: string[] = [];
  for (const [name, value] of Object.entries(body)) {
    if (value === null) continue;
    if (drops && !Object.hasOwn(MessagesRequest.shape, name)) dropped.push(name);
    else fields[name] = value;
  }
  const parsed = MessagesRequest.safeParse(fields);
  if (!parsed.success) throw toRefusal(parsed.error, vendor);
  return { request: parsed.data, dropped };
}

function asBlocks(content: unknown): unknown {
  return typeof content === "string" ? [{ type: "text", text: content }] : content;
}
