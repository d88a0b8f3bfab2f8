import { isObject, parseJson } from "./fake-server.ts";

/**
 * What OpenAI refuses about a request before any model runs. Parameter names follow the `openai` package's types; texts
 * are what the API answers.
 */

/** A request that is answered with an error, in OpenAI's envelope. */
export class OpenaiRefusal extends Error {
  readonly status: number;
  readonly error: { message: string; type: string; param: string | null; code: string | null };

  constructor(status: number, error: OpenaiRefusal["error"]) {
    super(error.message);
    this.status = status;
    this.error = error;
  }
}

/** A chat message as far as the fake reads it. */
export type ChatMessage = { role: string; content: unknown };

/** The checked part of a chat request. */
export type ChatRequest = {
  model: string;
  messages: ChatMessage[];
  stream: boolean;
  includeUsage: boolean;
  includeObfuscation: boolean;
  /** How many choices. */
  n: number;
  /** Name of the first function tool, if any was given. */
  toolName: string | null;
};

const chatParameters = new Set(
  (
    "audio frequency_penalty function_call functions logit_bias logprobs max_completion_tokens max_tokens messages " +
    "metadata modalities model moderation n parallel_tool_calls prediction presence_penalty prompt_cache_key " +
    "prompt_cache_options prompt_cache_retention reasoning_effort response_format safety_identifier seed service_tier " +
    "stop store stream stream_options temperature tool_choice tools top_logprobs top_p user verbosity web_search_options"
  ).split(" "),
);
const embeddingParameters = new Set(["dimensions", "encoding_format", "input", "model", "user"]);
const roles = new Set(["assistant", "developer", "function", "system", "tool", "user"]);

/** Makes a refusal; `type` is `invalid_request_error` unless given. */
export function refuse(
  status: number,
  message: string,
  more: { type?: string; param?: string; code?: string } = {},
): OpenaiRefusal {
  const { type = "invalid_request_error", param = null, code = null } = more;
  return new OpenaiRefusal(status, { message, type, param, code });
}

/** Checks the bearer key and throws the refusal; any key will do where none is expected. */
export function checkKey(authorization: string | undefined, expected: string | undefined): void {
  const key = /^Bearer (\S+)$/.exec(authorization ?? "")?.[1];
  if (key === undefined) {
    throw refuse(
      401,
      "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth " +
        "(i.e. Authorization: Bearer YOUR_KEY), or as the password field (with blank username) if you're accessing " +
        "the API from your browser and are prompted for a username and password. You can obtain an API key from " +
        "https://platform.openai.com/account/api-keys.",
    );
  }
  if (expected === undefined || key === expected) return;
  throw refuse(
    401,
    `Incorrect API key provided: ${maskKey(key)}. ` +
      "You can find your API key at https://platform.openai.com/account/api-keys.",
    { code: "invalid_api_key" },
  );
}

/** Parses a body as JSON object; throws the refusal where it, or its content type, is not JSON. */
export function parseBody(text: string, contentType: string | undefined): Record<string, unknown> {
  const body = contentType?.includes("application/json") ? parseJson(text) : undefined;
  if (isObject(body)) return body;
  throw refuse(
    400,
    "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP library " +
      "correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON.)",
  );
}

/** Checks a chat request; throws the refusal. */
export function parseChatRequest(body: Record<string, unknown>): ChatRequest {
  const { model, messages, n = 1, stream_options: options } = body;
  checkNames(body, chatParameters);
  if (typeof model !== "string" || model === "") throw refuse(400, "you must provide a model parameter");
  const parsed = parseMessages(messages);
  const stream = body.stream === true;
  if (options !== undefined && options !== null && !stream) {
    throw refuse(400, "The 'stream_options' parameter is only allowed when 'stream' is enabled.", {
      param: "stream_options",
    });
  }
  if (isObject(body.metadata) && body.store !== true) {
    throw refuse(400, "The 'metadata' parameter is only allowed when 'store' is enabled.", { param: "metadata" });
  }
  if (typeof n !== "number" || !Number.isInteger(n) || n < 1 || n > 128) {
    throw refuse(400, "Invalid type for 'n': expected an integer between 1 and 128.", {
      param: "n",
      code: "invalid_type",
    });
  }
  const streamOptions = isObject(options) ? options : {};
  return {
    model,
    messages: parsed,
    stream,
    includeUsage: streamOptions.include_usage === true,
    includeObfuscation: streamOptions.include_obfuscation !== false,
    n,
    toolName: firstToolName(body.tools),
  };
}

/** Checks an embedding request; throws the refusal. */
export function parseEmbeddingRequest(body: Record<string, unknown>): {
  model: string;
  inputs: string[];
  base64: boolean;
} {
  checkNames(body, embeddingParameters);
  if (typeof body.model !== "string" || body.model === "") throw refuse(400, "you must provide a model parameter");
  const inputs = Array.isArray(body.input) ? body.input : [body.input];
  if (inputs.length === 0 || inputs.some((input) => typeof input !== "string" || input === "")) {
    throw refuse(400, "'$.input' is invalid. Please check the API reference.", { param: "input" });
  }
  return { model: body.model, inputs: inputs.map(String), base64: body.encoding_format === "base64" };
}

/** The text of the last user message; parts of type `text` are joined. */
export function lastUserText(messages: readonly ChatMessage[]): string {
  return textOf(messages.findLast((message) => message.role === "user")?.content);
}

/** A message's content as text. */
export function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content.map((part) => (isObject(part) && typeof part.text === "string" ? part.text : "")).join("");
}

function parseMessages(messages: unknown): ChatMessage[] {
  const about = { param: "messages" };
  if (messages === undefined) {
    throw refuse(400, "Missing required parameter: 'messages'.", { ...about, code: "missing_required_parameter" });
  }
  if (!Array.isArray(messages)) {
    throw refuse(400, "Invalid type for 'messages': expected an array of objects.", {
      ...about,
      code: "invalid_type",
    });
  }
  if (messages.length === 0) {
    throw refuse(
      400,
      "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.",
      { ...about, code: "empty_array" },
    );
  }
  const parsed: ChatMessage[] = [];
  for (const [index, message] of messages.entries()) {
    const place = `messages[${String(index)}]`;
    if (!isObject(message) || typeof message.role !== "string") {
      throw refuse(400, `Missing required parameter: '${place}.role'.`, {
        param: `${place}.role`,
        code: "missing_required_parameter",
      });
    }
    if (!roles.has(message.role)) {
      throw refuse(400, `Invalid value: '${message.role}'. Supported values are: ${[...roles].join(", ")}.`, {
        param: `${place}.role`,
        code: "invalid_value",
      });
    }
    parsed.push({ role: message.role, content: message.content });
  }
  return parsed;
}

function checkNames(body: Record<string, unknown>, known: ReadonlySet<string>): void {
  const unknown = Object.keys(body).filter((name) => !known.has(name));
  if (unknown.length === 0) return;
  const noun = unknown.length === 1 ? "argument" : "arguments";
  throw refuse(400, `Unrecognized request ${noun} supplied: ${unknown.join(", ")}`);
}

function firstToolName(tools: unknown): string | null {
  const first: unknown = Array.isArray(tools) ? tools[0] : undefined;
  if (!isObject(first) || !isObject(first.function)) return null;
  return typeof first.function.name === "string" ? first.function.name : null;
}

function maskKey(key: string): string {
  return key.length <= 8 ? "*".repeat(key.length) : `${key.slice(0, 4)}${"*".repeat(key.length - 8)}${key.slice(-4)}`;
}
