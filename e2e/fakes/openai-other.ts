import { createHash } from "node:crypto";
import { isObject, sendText } from "./fake-server.ts";
import { answersAsBroken, markedBehaviour, openaiHeaders, sendWhole, streamFrames } from "./openai-chat.ts";
import type { Exchange } from "./openai-chat.ts";
import { refuse } from "./openai-request.ts";

/**
 * OpenAI's other endpoints. `[[name]]` in the text that is asked chooses the behaviour, as for chats; the same request
 * gets the same answer, so that two of them can be compared.
 */

type Body = Record<string, unknown>;
type Endpoint = { names: string; required: string; text: string; answer(exchange: Exchange, body: Body): unknown };

const created = 1_763_688_569;

const endpoints: Record<string, Endpoint> = {
  "/v1/completions": {
    names:
      "model prompt best_of echo frequency_penalty logit_bias logprobs max_tokens n presence_penalty seed stop stream " +
      "stream_options suffix temperature top_p user",
    required: "prompt",
    text: "prompt",
    answer: answerText,
  },
  "/v1/responses": {
    names:
      "model input background conversation include instructions max_output_tokens max_tool_calls metadata " +
      "parallel_tool_calls previous_response_id prompt prompt_cache_key reasoning safety_identifier service_tier store " +
      "stream stream_options temperature text tool_choice tools top_logprobs top_p truncation user",
    required: "input",
    text: "input",
    answer: answerResponses,
  },
  "/v1/moderations": { names: "model input", required: "input", text: "input", answer: answerModeration },
  "/v1/images/generations": {
    names:
      "model prompt background moderation n output_compression output_format partial_images quality response_format " +
      "size stream style user",
    required: "prompt",
    text: "prompt",
    answer: answerImage,
  },
  "/v1/images/edits": {
    names: "model prompt image mask n size quality response_format user",
    required: "image",
    text: "prompt",
    answer: answerImage,
  },
  "/v1/audio/speech": {
    names: "model input voice instructions response_format speed stream_format",
    required: "voice",
    text: "input",
    answer: answerSpeech,
  },
  "/v1/audio/transcriptions": {
    names: "model file language prompt response_format temperature stream include timestamp_granularities[]",
    required: "file",
    text: "prompt",
    answer: answerTranscription,
  },
  "/v1/audio/translations": {
    names: "model file prompt response_format temperature",
    required: "file",
    text: "prompt",
    answer: answerTranscription,
  },
  "/v1/rerank": {
    names: "model query documents top_n return_documents max_chunks_per_doc",
    required: "documents",
    text: "query",
    answer: answerRerank,
  },
};

/** The paths that this file answers. */
export const otherPaths: readonly string[] = Object.keys(endpoints);

/** The fields of a form; a file is its name, kind and bytes in base64. Null where the body is no form. */
export async function parseForm(bytes: Buffer, contentType = ""): Promise<Body | null> {
  if (!contentType.startsWith("multipart/form-data")) return null;
  const form = await new Response(new Uint8Array(bytes), { headers: { "content-type": contentType } }).formData();
  const body: Body = {};
  for (const [name, value] of form) {
    body[name] =
      typeof value === "string"
        ? value
        : { name: value.name, type: value.type, base64: Buffer.from(await value.arrayBuffer()).toString("base64") };
  }
  return body;
}

/** Answers one of these endpoints; throws the refusal of a request that does not fit. */
export async function answerOther(exchange: Exchange, body: Body): Promise<void> {
  const endpoint = endpoints[exchange.call.path];
  if (!endpoint) throw refuse(404, "There is no such endpoint.");
  const known = new Set(endpoint.names.split(" "));
  const unknown = Object.keys(body).filter((name) => !known.has(name));
  if (unknown.length > 0)
    throw refuse(400, `Unknown parameter: '${unknown.join("', '")}'.`, { param: unknown[0] ?? "" });
  if (typeof body.model !== "string" || body.model === "") throw refuse(400, "you must provide a model parameter");
  if (body[endpoint.required] === undefined) {
    throw refuse(400, `Missing required parameter: '${endpoint.required}'.`, { param: endpoint.required });
  }
  const prompt = JSON.stringify(body[endpoint.text] ?? "");
  exchange.call.behaviour = markedBehaviour(prompt);
  if (answersAsBroken(exchange, prompt)) return;
  exchange.call.status = 200;
  await endpoint.answer(exchange, body);
}

function idOf(prefix: string, body: Body): string {
  return `${prefix}${createHash("sha256").update(JSON.stringify(body)).digest("hex").slice(0, 24)}`;
}

function lastText(value: unknown): string {
  if (typeof value === "string") return value;
  if (!Array.isArray(value)) return isObject(value) ? lastText(value.content ?? value.text) : "";
  return lastText(value.at(-1));
}

function json(exchange: Exchange, answer: object): void {
  sendWhole(exchange, JSON.stringify(answer, null, 2));
}

function answerText(exchange: Exchange, body: Body): unknown {
  const text = ` Echo: ${lastText(body.prompt)}`;
  const usage = { prompt_tokens: 7, completion_tokens: 5, total_tokens: 12 };
  const base = { id: idOf("cmpl-", body), object: "text_completion", created, model: body.model };
  const choice = (part: string, reason: string | null) => ({
    text: part,
    index: 0,
    logprobs: null,
    finish_reason: reason,
  });
  if (body.stream !== true) return json(exchange, { ...base, choices: [choice(text, "stop")], usage });
  const chunks = [
    ...(text.match(/\s*\S+/g) ?? []).map((part) => ({ ...base, choices: [choice(part, null)] })),
    { ...base, choices: [choice("", "stop")] },
    ...(isObject(body.stream_options) && body.stream_options.include_usage === true
      ? [{ ...base, choices: [], usage }]
      : []),
  ];
  const frames = chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`);
  return streamFrames(exchange, frames, "data: [DONE]\n\n");
}

const none: object[] = [];

function answerResponses(exchange: Exchange, body: Body): unknown {
  const prompt = lastText(body.input);
  const text = `Echo: ${prompt}`;
  const id = idOf("resp_", body);
  const base = {
    ...{ id, object: "response", created_at: created, status: "in_progress", error: null, incomplete_details: null },
    ...{ instructions: body.instructions ?? null, max_output_tokens: null, model: body.model, output: none },
    ...{ parallel_tool_calls: true, temperature: 1, tool_choice: "auto", tools: body.tools ?? [], top_p: 1 },
    ...{ metadata: body.metadata ?? {}, usage: null },
  };
  const part = { type: "output_text", text, annotations: [], logprobs: [] };
  const message = { id: idOf("msg_", body), type: "message", status: "completed", role: "assistant", content: [part] };
  const call = {
    ...{ id: idOf("fc_", body), type: "function_call", status: "completed", call_id: idOf("call_", body) },
    ...{ name: "get_weather", arguments: JSON.stringify({ location: "Paris", question: prompt }) },
  };
  const item = exchange.call.behaviour === "tools" ? call : message;
  const usage = {
    ...{ input_tokens: 9, input_tokens_details: { cached_tokens: 3 }, output_tokens: 6 },
    ...{ output_tokens_details: { reasoning_tokens: 2 }, total_tokens: 15 },
  };
  const done = { ...base, status: "completed", output: [item], usage };
  if (body.stream !== true) return json(exchange, done);
  const started =
    item === call
      ? { ...call, status: "in_progress", arguments: "" }
      : { ...message, status: "in_progress", content: [] };
  const deltas = (item === call ? call.arguments : text).match(/\s*\S+/g) ?? [];
  const deltaType = item === call ? "response.function_call_arguments.delta" : "response.output_text.delta";
  const at = { item_id: item.id, output_index: 0, content_index: 0 };
  const events: Body[] = [
    { type: "response.created", response: base },
    { type: "response.output_item.added", output_index: 0, item: started },
    ...deltas.map((delta) => ({ type: deltaType, ...at, delta })),
    { type: "response.output_item.done", output_index: 0, item },
  ];
  const frames = [...events, { type: "response.completed", response: done }].map(
    (event, index) => `event: ${String(event.type)}\ndata: ${JSON.stringify({ ...event, sequence_number: index })}\n\n`,
  );
  return streamFrames(exchange, frames.slice(0, -1), frames.at(-1) ?? "");
}

function answerModeration(exchange: Exchange, body: Body): void {
  const inputs = Array.isArray(body.input) ? body.input : [body.input];
  const results = inputs.map(() => ({
    ...{ flagged: false, categories: { violence: false }, category_scores: { violence: 0.0001 } },
    category_applied_input_types: { violence: ["text"] },
  }));
  json(exchange, { id: idOf("modr-", body), model: body.model, results });
}

/** The smallest picture there is. */
const picture = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

function answerImage(exchange: Exchange, body: Body): unknown {
  const usage = {
    ...{ total_tokens: 110, input_tokens: 10, output_tokens: 100 },
    input_tokens_details: { text_tokens: 10, image_tokens: 0 },
  };
  if (body.stream !== true) {
    return json(exchange, {
      created,
      data: [{ b64_json: picture, revised_prompt: `Seen: ${lastText(body.prompt)}` }],
      usage,
    });
  }
  const event = { created_at: created, size: "1024x1024", quality: "high", background: "opaque", output_format: "png" };
  const partial = { type: "image_generation.partial_image", b64_json: picture, partial_image_index: 0, ...event };
  const done = { type: "image_generation.completed", b64_json: picture, ...event, usage };
  const frame = (value: { type: string }) => `event: ${value.type}\ndata: ${JSON.stringify(value)}\n\n`;
  return streamFrames(exchange, [frame(partial)], frame(done));
}

/** Sound is bytes that are no text; three pieces, so that they come apart. */
async function answerSpeech({ call, response, slowMs }: Exchange, body: Body): Promise<void> {
  const sound = Buffer.alloc(3_000, createHash("sha256").update(lastText(body.input)).digest());
  response.writeHead(200, { "content-type": "audio/mpeg", ...openaiHeaders() });
  for (const start of [0, 1_000, 2_000]) {
    if (start > 0) await new Promise((resolve) => setTimeout(resolve, call.behaviour === "slow" ? slowMs : 1));
    if (response.destroyed) return;
    if (start === 1_000 && call.behaviour === "break-mid-stream") return void response.destroy();
    response.write(sound.subarray(start, start + 1_000));
  }
  response.end();
}

function answerTranscription(exchange: Exchange, body: Body): unknown {
  const heard = isObject(body.file) ? Buffer.from(String(body.file.base64), "base64").toString("utf8") : "";
  const text = `Heard: ${heard}`;
  const usage = { type: "tokens", input_tokens: 14, output_tokens: 4, total_tokens: 18 };
  if (body.stream === "true") {
    const frame = (value: { type: string }) => `event: ${value.type}\ndata: ${JSON.stringify(value)}\n\n`;
    const deltas = (text.match(/\s*\S+/g) ?? []).map((delta) => frame({ type: "transcript.text.delta", ...{ delta } }));
    return streamFrames(exchange, deltas, frame({ type: "transcript.text.done", ...{ text, usage } }));
  }
  if (body.response_format === "verbose_json") {
    const whole = { task: "transcribe", language: "english", duration: 3.4, text, segments: none };
    return json(exchange, { ...whole, usage: { type: "duration", seconds: 4 } });
  }
  if (body.response_format !== "text") return json(exchange, { text, usage });
  const headers = { "content-type": "text/plain; charset=utf-8", ...openaiHeaders() };
  return sendText(exchange.response, { status: 200, body: `${text}\n`, headers });
}

function answerRerank(exchange: Exchange, body: Body): void {
  const documents = Array.isArray(body.documents) ? body.documents : [];
  const results = documents.map((document, index) => ({
    ...{ index, relevance_score: 1 / (index + 1) },
    ...(body.return_documents === true ? { document: { text: String(document) } } : {}),
  }));
  const meta = { api_version: { version: "2" }, billed_units: { search_units: 1 } };
  json(exchange, { id: idOf("rerank-", body), results, meta });
}
