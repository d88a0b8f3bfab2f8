import Anthropic from "@anthropic-ai/sdk";
import OpenAI, { toFile } from "openai";
import { toFailure } from "./comparable.ts";

/** Where a client is pointed: straight at an upstream, or at Sluice. */
export type Target = { openaiUrl: string; anthropicUrl: string; key: string };

/** One call through an official client, and everything that the client got. */
export type EveryCall = { name: string; callType: string; run(target: Target, prompt: string): Promise<unknown> };

const model = "fake-model";
const lookUp = {
  name: "look_up",
  description: "Looks the weather up.",
  strict: false,
  parameters: { type: "object" as const, properties: { location: { type: "string" } } },
};
const weather = { type: "function" as const, ...lookUp };
const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/** One call of every operation, streamed too where it can be. */
export const everyCall: readonly EveryCall[] = [
  openai("chat", "acompletion", (client, prompt) =>
    client.chat.completions.create({ model, messages: [{ role: "user", content: prompt }] }),
  ),
  openai("chat, streamed", "acompletion", (client, prompt) =>
    client.chat.completions.create({ model, messages: [{ role: "user", content: prompt }], stream: true }),
  ),
  ...[false, true].map((stream) =>
    openai(`chat with a tool and a picture, ${stream ? "streamed" : "whole"}`, "acompletion", (client, prompt) =>
      client.chat.completions.create({
        ...{ model, stream, tools: [{ type: "function", function: lookUp }] },
        messages: [
          {
            role: "user",
            content: [
              { type: "image_url", image_url: { url: `data:image/png;base64,${pixel}` } },
              { type: "text", text: prompt },
            ],
          },
        ],
      }),
    ),
  ),
  openai("completion", "atext_completion", (client, prompt) => client.completions.create({ model, prompt })),
  openai("completion, streamed", "atext_completion", (client, prompt) =>
    client.completions.create({ model, prompt, stream: true }),
  ),
  openai("embedding", "aembedding", (client, prompt) => client.embeddings.create({ model, input: [prompt, "other"] })),
  openai("response", "aresponses", (client, prompt) =>
    client.responses.create({ model, input: prompt, instructions: "Be brief.", metadata: { own: "kept" } }),
  ),
  openai("response, streamed", "aresponses", (client, prompt) =>
    client.responses.create({ model, input: prompt, tools: [weather], stream: true }),
  ),
  openai("moderation", "amoderation", (client, prompt) => client.moderations.create({ model, input: prompt })),
  openai("image", "aimage_generation", (client, prompt) => client.images.generate({ model, prompt, n: 1 })),
  openai("image, streamed", "aimage_generation", (client, prompt) =>
    client.images.generate({ model, prompt, stream: true, partial_images: 1 }),
  ),
  openai("image edit", "aimage_edit", async (client, prompt) =>
    client.images.edit({
      model,
      prompt,
      image: await toFile(Buffer.from(pixel, "base64"), `${prompt.slice(-12)}.png`, { type: "image/png" }),
    }),
  ),
  openai("speech", "aspeech", async (client, prompt) => {
    const answer = await client.audio.speech.create({ model, input: prompt, voice: "alloy" });
    return {
      type: answer.headers.get("content-type"),
      bytes: Buffer.from(await answer.arrayBuffer()).toString("base64"),
    };
  }),
  openai("transcription", "atranscription", async (client, prompt) =>
    client.audio.transcriptions.create({ model, prompt, file: await recording(prompt) }),
  ),
  openai("transcription as text", "atranscription", async (client, prompt) =>
    client.audio.transcriptions.create({ model, prompt, file: await recording(prompt), response_format: "text" }),
  ),
  openai("transcription, streamed", "atranscription", async (client, prompt) =>
    client.audio.transcriptions.create({ model, prompt, file: await recording(prompt), stream: true }),
  ),
  openai("translation", "atranslation", async (client, prompt) =>
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- the client has no other name for it
    client.audio.translations.create({ model, prompt, file: await recording(prompt), response_format: "json" }),
  ),
  openai("rerank", "arerank", (client, prompt) =>
    client.post("/rerank", { body: { model, query: prompt, documents: ["one", "two"], return_documents: true } }),
  ),
  anthropic("message", (client, prompt) =>
    client.messages.create({
      model: "claude-fake",
      max_tokens: 100,
      system: "Be brief.",
      messages: [{ role: "user", content: prompt }],
    }),
  ),
  anthropic("message, streamed", (client, prompt) =>
    client.messages.create({
      model: "claude-fake",
      max_tokens: 100,
      stream: true,
      tools: [{ name: "look_up", input_schema: weather.parameters }],
      messages: [
        {
          role: "user",
          content: [
            { type: "image", source: { type: "base64", media_type: "image/png", data: pixel } },
            { type: "text", text: prompt },
          ],
        },
      ],
    }),
  ),
];

function recording(prompt: string): Promise<File> {
  return toFile(Buffer.from(`the sound of ${prompt}`), `${prompt.slice(-12)}.wav`, { type: "audio/wav" });
}

function openai(
  name: string,
  callType: string,
  call: (client: OpenAI, prompt: string) => PromiseLike<unknown>,
): EveryCall {
  const run = ({ openaiUrl, key }: Target, prompt: string): Promise<unknown> =>
    collect(async () => call(new OpenAI({ apiKey: key, baseURL: openaiUrl, maxRetries: 0 }), prompt));
  return { name, callType, run };
}

function anthropic(name: string, call: (client: Anthropic, prompt: string) => PromiseLike<unknown>): EveryCall {
  const run = ({ anthropicUrl, key }: Target, prompt: string): Promise<unknown> =>
    collect(async () => call(new Anthropic({ apiKey: key, baseURL: anthropicUrl, maxRetries: 0 }), prompt));
  return { name, callType: "anthropic_messages", run };
}

/** What a client's caller sees: the answer, or every event, and the error that ended it. */
async function collect(call: () => Promise<unknown>): Promise<unknown> {
  const events: unknown[] = [];
  try {
    const answer: unknown = await call();
    if (!isStream(answer)) return answer;
    for await (const event of answer) events.push(event);
    return { events };
  } catch (error) {
    if (error instanceof OpenAI.APIError || error instanceof Anthropic.APIError) {
      // Anthropic's client has the whole body as its message.
      const said = error instanceof OpenAI.APIError ? toFailure(error) : {};
      return { events, status: String(error.status), kind: error.constructor.name, ...said };
    }
    return { events, thrown: error instanceof Error ? error.constructor.name : String(error) };
  }
}

function isStream(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === "object" && value !== null && Symbol.asyncIterator in value;
}
