import { z } from "zod";
import { CacheControl, ChatMessage } from "#gateway/translation/chat-message.ts";
import { toRefusal, refuseField } from "#gateway/translation/refuse-field.ts";
import { isJsonObject, type Json, type JsonObject } from "#logging/record.ts";

const JsonSchema = z.custom<JsonObject>(isJsonObject, "must be a JSON schema");

const Tool = z.strictObject({
  type: z.literal("function"),
  function: z.strictObject({
    name: z.string(),
    description: z.string().optional(),
    parameters: JsonSchema.optional(),
    strict: z.boolean().nullish(),
  }),
  cache_control: CacheControl.nullish(),
});

const ToolChoice = z.union(
  [
    z.enum(["none", "auto", "required"]),
    z.strictObject({ type: z.literal("function"), function: z.strictObject({ name: z.string() }) }),
  ],
  { error: "can only be none, auto, required or one function" },
);

const ResponseFormat = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("text") }),
  z.strictObject({ type: z.literal("json_object") }),
  z.strictObject({
    type: z.literal("json_schema"),
    json_schema: z.strictObject({
      name: z.string().optional(),
      description: z.string().optional(),
      schema: JsonSchema,
      strict: z.boolean().nullish(),
    }),
  }),
]);

const count = z.number().int().positive();

/** The fields of a chat request that a translation can express. Fields that are null are absent. */
const ChatRequest = z.strictObject({
  model: z.string(),
  messages: z.array(ChatMessage),
  stream: z.boolean().optional(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).optional(),
  max_tokens: count.optional(),
  max_completion_tokens: count.optional(),
  temperature: z.number().optional(),
  top_p: z.number().optional(),
  top_k: count.optional(),
  stop: z.union([z.string().transform((text) => [text]), z.array(z.string())]).optional(),
  seed: z.number().int().optional(),
  frequency_penalty: z.number().optional(),
  presence_penalty: z.number().optional(),
  tools: z.array(Tool).optional(),
  tool_choice: ToolChoice.optional(),
  parallel_tool_calls: z.boolean().optional(),
  response_format: ResponseFormat.optional(),
  reasoning_effort: z.enum(["none", "minimal", "low", "medium", "high", "xhigh"]).optional(),
  thinking: z
    .union([
      z.strictObject({ type: z.literal("enabled"), budget_tokens: count }),
      z.strictObject({ type: z.enum(["disabled", "adaptive"]) }),
    ])
    .optional(),
  user: z.string().optional(),
});
export type ChatRequest = z.output<typeof ChatRequest>;

/** A request that was read, and the fields of it that were left out because config.yaml says `drop_params`. */
export type ReadRequest = { request: ChatRequest; dropped: string[] };

/** What a vendor can be told, beside what every translation can. */
export type RequestRules = {
  /** The word for the vendor in refusals. */
  vendor: string;
  /** Values that say no more than the vendor does by itself, by field. */
  defaults: Readonly<Record<string, Json>>;
  /** Fields of `ChatRequest` that the vendor has no word for. */
  refused: readonly string[];
};

/** Values that ask for nothing, by the field that cannot be asked for. */
const nothing: Readonly<Record<string, readonly string[]>> = {
  n: ["1"],
  logprobs: ["false"],
  top_logprobs: ["0"],
  logit_bias: ["{}"],
  modalities: ['["text"]'],
  store: ["false"],
  service_tier: ['"auto"'],
  frequency_penalty: ["0"],
  presence_penalty: ["0"],
  parallel_tool_calls: ["true"],
  tools: ["[]"],
  functions: ["[]"],
  stop: ["[]"],
};

/**
 * Reads a body in OpenAI's words. What cannot be said to the vendor is a 400 that names the field; with `drops`, a
 * field beside `messages` is left out instead and listed.
 */
export function readChatRequest(body: JsonObject, rules: RequestRules, drops: boolean): ReadRequest {
  const fields: JsonObject = {};
  const dropped: string[] = [];
  for (const [name, value] of Object.entries(body)) {
    if (value === null || asksForNothing(name, value, rules)) continue;
    if (Object.hasOwn(ChatRequest.shape, name) && !rules.refused.includes(name)) fields[name] = value;
    else if (drops) dropped.push(name);
    else throw refuseField(name, `${name} cannot be translated for ${rules.vendor}.`);
  }
  const parsed = ChatRequest.safeParse(fields);
  if (parsed.success) return { request: parsed.data, dropped };
  throw toRefusal(parsed.error, rules.vendor);
}

function asksForNothing(name: string, value: Json, { defaults }: RequestRules): boolean {
  const text = JSON.stringify(value);
  return (
    (Object.hasOwn(nothing, name) && nothing[name]?.includes(text) === true) || text === JSON.stringify(defaults[name])
  );
}
