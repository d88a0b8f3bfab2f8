import { z } from "zod";
import { isJsonObject, type JsonObject } from "#logging/record.ts";
import { readJson } from "#lib/read-json.ts";

/** The mark that everything up to this part may be cached by the vendor. */
export const CacheControl = z.strictObject({ type: z.literal("ephemeral"), ttl: z.enum(["5m", "1h"]).optional() });
export type CacheControl = z.output<typeof CacheControl>;

const cached = { cache_control: CacheControl.nullish() };
const TextPart = z.strictObject({ type: z.literal("text"), text: z.string(), ...cached });
const ImagePart = z.strictObject({
  type: z.literal("image_url"),
  image_url: z.union([
    z.string().transform((url) => ({ url })),
    z.strictObject({ url: z.string(), detail: z.literal("auto").nullish() }),
  ]),
  ...cached,
});
const FilePart = z.strictObject({
  type: z.literal("file"),
  file: z.strictObject({ file_data: z.string(), filename: z.string().optional() }),
  ...cached,
});
const unknownPart = "is no kind of part that can be translated";
const texts = z.preprocess(asParts, z.array(TextPart));
const parts = z.preprocess(
  asParts,
  z.array(z.discriminatedUnion("type", [TextPart, ImagePart, FilePart], { error: unknownPart })),
);

/** A part of what a user says. */
export type ContentPart = z.output<typeof TextPart> | z.output<typeof ImagePart> | z.output<typeof FilePart>;

/** The vendor's own record of what a model thought, which it wants back unchanged. */
const ThinkingBlock = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("thinking"), thinking: z.string(), signature: z.string().nullish(), ...cached }),
  z.strictObject({ type: z.literal("redacted_thinking"), data: z.string(), ...cached }),
]);
export type ThinkingBlock = z.output<typeof ThinkingBlock>;

const ToolCall = z.strictObject({
  id: z.string(),
  type: z.literal("function"),
  function: z.strictObject({ name: z.string(), arguments: z.string().transform(readArguments) }),
  index: z.number().optional(),
});

/**
 * A message in OpenAI's words. Clients send an answer's message back as they got it, so what it may hold besides is
 * taken where it says nothing; `reasoning_content` is what `thinking_blocks` say in full, and no vendor wants it alone.
 */
export const ChatMessage = z.discriminatedUnion("role", [
  z.strictObject({ role: z.enum(["system", "developer"]), content: texts, ...cached }),
  z.strictObject({ role: z.literal("user"), content: parts, ...cached }),
  z.strictObject({
    role: z.literal("assistant"),
    content: texts.nullish(),
    tool_calls: z.array(ToolCall).nullish(),
    thinking_blocks: z.array(ThinkingBlock).nullish(),
    reasoning_content: z.string().nullish(),
    refusal: z.null().optional(),
    audio: z.null().optional(),
    function_call: z.null().optional(),
    annotations: z.array(z.unknown()).max(0).nullish(),
    ...cached,
  }),
  z.strictObject({
    role: z.literal("tool"),
    tool_call_id: z.string(),
    content: parts,
    name: z.string().nullish(),
    ...cached,
  }),
]);
export type ChatMessage = z.output<typeof ChatMessage>;

function asParts(content: unknown): unknown {
  return typeof content === "string" ? [{ type: "text", text: content }] : content;
}

/** A tool's arguments as an object; none is an empty one. */
function readArguments(text: string, ctx: z.RefinementCtx<string>): JsonObject {
  try {
    const value: unknown = readJson(text.trim() === "" ? "{}" : text);
    if (isJsonObject(value)) return value;
  } catch {
    // Told below, together with what is JSON and no object.
  }
  ctx.addIssue({ code: "custom", message: "must be a JSON object" });
  return z.NEVER;
}
