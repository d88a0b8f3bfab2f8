import { z } from "zod";
import { UpstreamError, type AppError } from "#lib/errors.ts";
import { toBytesAnswer, type StreamCopy } from "#gateway/stream-copy.ts";
import { isJsonObject, type Json, type JsonObject, type RecordInput } from "#logging/record.ts";
import { readJson } from "#lib/read-json.ts";

/** The names of all operations: the vendors' paths below the API base. */
export type OperationName =
  | "chat"
  | "text"
  | "embedding"
  | "responses"
  | "messages"
  | "moderation"
  | "image"
  | "image_edit"
  | "speech"
  | "transcription"
  | "translation"
  | "rerank";

/** What the wire knows of one operation. Everything else is the same for all of them. */
export type Operation = {
  name: OperationName;
  /** What its routes are to keys with route limits. */
  routeClass: "openai" | "anthropic";
  /** LiteLLM's name of it in logs, for example `aembedding`. */
  callType: string;
  /** The path below an OpenAI-compatible API base. */
  path: string;
  /** What the interface's description says of it. */
  describe: {
    summary: string;
    /** A body that works. */
    example: JsonObject;
    /** What a streamed answer holds; absent where it never streams. */
    stream?: string;
    /** What an answer is, where it is not JSON. */
    contentType?: string;
  };
  /** Checks what the gateway itself needs; all else is the upstream's to judge. */
  body: z.ZodType<JsonObject>;
  /** What `general_settings` may name as the model of every such call. */
  modelSetting?: "completion_model" | "embedding_model" | "image_generation_model" | "moderation_model";
  /** The model of a request that names none, where the vendor's API has one. */
  defaultModel?: string;
  /** True where the vendor has a `metadata` of its own, which is passed on. */
  forwardsMetadata?: boolean;
  /** True where a stream carries its usage only on demand, as `stream_options.include_usage`. */
  asksForUsage?: boolean;
  /** `anthropic`: errors in the form of Anthropic's API. */
  errors?: "anthropic";
  /** What was asked, as the log shows it. */
  readInput(body: JsonObject): RecordInput;
  /** Request parameters that the log shows. */
  parameters: readonly string[];
  /** Reads along with an answer that is passed on piece by piece; null where it is read whole first. */
  makeCopy(asked: AskedAnswer): StreamCopy | null;
  /** The frame that tells the client of a stream that it broke. Null: there is none, the body breaks off. */
  toErrorFrame(error: AppError): string | null;
  /** The answer as the log keeps it; throws `UpstreamError` where it cannot be one. */
  readAnswer(bytes: Buffer, contentType: string): JsonObject;
};

/** How a request wants to be answered, and what the upstream says that it answers with. */
export type AskedAnswer = { isStream: boolean; hideUsage: boolean; contentType: string };

/** One user message around what another kind of call was asked. */
export function asUserMessage(content: Json | undefined): RecordInput {
  return { messages: content === undefined || content === null ? [] : [{ role: "user", content }] };
}

/** A body that is an object and whose named fields fit; every other field is the upstream's to judge. */
export function callBody(shape: z.ZodRawShape): z.ZodType<JsonObject> {
  const fields = z.object({ model: z.string("must be a text").min(1, "a model is required").nullish(), ...shape });
  const { $schema: _dialect, ...described } = z.toJSONSchema(fields, { io: "input", unrepresentable: "any" });
  return z
    .custom<JsonObject>(isJsonObject, "The body must be a JSON object.")
    .check((payload) => {
      // JSON can write a number that is none (1e309), and nothing of ours could store it.
      for (const [name, value] of Object.entries(payload.value)) {
        if (typeof value !== "number" || Number.isFinite(value)) continue;
        payload.issues.push({ code: "custom", message: "must be a finite number", path: [name], input: name });
      }
      const parsed = fields.safeParse(payload.value);
      for (const { message, path } of parsed.error?.issues ?? []) {
        payload.issues.push({ code: "custom", message, path, input: payload.value });
      }
    })
    .meta(described);
}

/** `stream` as every API has it. */
export const streamField = z.boolean({ error: "must be true or false" }).nullish();

/** A field that must be there, whatever it is. */
export function given(name: string): z.ZodType {
  return z.unknown().refine((value) => value !== undefined && value !== null, `${name} is required`);
}

/** The answer of most operations: one JSON object. */
export function readJsonAnswer(bytes: Buffer): JsonObject {
  let value: unknown;
  try {
    value = readJson(bytes.toString("utf8"));
  } catch (cause) {
    throw new UpstreamError(0, "The upstream's answer is not valid JSON.", { cause });
  }
  if (isJsonObject(value)) return value;
  throw new UpstreamError(0, "The upstream's answer is not a JSON object.");
}

/** The answer of an operation that may also answer with a text or a file. */
export function readAnyAnswer(bytes: Buffer, contentType: string): JsonObject {
  if (contentType.includes("json")) return readJsonAnswer(bytes);
  if (contentType.startsWith("text/") || contentType.includes("subrip")) return { text: bytes.toString("utf8") };
  return toBytesAnswer(bytes.length, contentType);
}
