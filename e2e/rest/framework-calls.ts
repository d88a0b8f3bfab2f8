import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI, type OpenAIProvider } from "@ai-sdk/openai";
import { HumanMessage, type BaseMessage } from "@langchain/core/messages";
import { ChatOpenAI, OpenAIEmbeddings } from "@langchain/openai";
import {
  embedMany,
  generateText,
  jsonSchema,
  streamText,
  type LanguageModel,
  type ModelMessage,
  type ToolSet,
} from "ai";
import { toFailure } from "./comparable.ts";
import type { Target } from "./every-call.ts";

/** One call through a framework, and everything that its caller got; what went wrong is a part of that. */
export type FrameworkCall = { name: string; run(target: Target, prompt: string): Promise<unknown> };

const model = "fake-model";
const parameters = { type: "object" as const, properties: { location: { type: "string" as const } } };
const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/** LangChain and the Vercel AI SDK, whole and streamed, with tools and pictures. */
export const frameworkCalls: readonly FrameworkCall[] = [
  langchain("invoke", async (chat, prompt) => (await chat.invoke(prompt)).toDict()),
  langchain("invoke with a tool and a picture", async (chat, prompt) =>
    (await chat.bindTools([weather]).invoke([withPicture(prompt)])).toDict(),
  ),
  langchain("stream", async (chat, prompt) => collectChunks(await chat.stream(prompt))),
  langchain("stream with a tool and a picture", async (chat, prompt) =>
    collectChunks(await chat.bindTools([weather]).stream([withPicture(prompt)])),
  ),
  langchain("batch", async (chat, prompt) =>
    (await chat.batch([prompt, `${prompt} again`])).map((message) => message.toDict()),
  ),
  {
    name: "LangChain embedDocuments",
    run: ({ openaiUrl, key }, prompt) =>
      attempt(async () => {
        const configuration = { baseURL: openaiUrl };
        const embeddings = new OpenAIEmbeddings({ model, apiKey: key, maxRetries: 0, configuration });
        return embeddings.embedDocuments([prompt, "other"]);
      }),
  },
  ...(["chat", "responses"] as const).flatMap((api) => [
    sdk(`generateText of ${api}`, async (provider, prompt) => generate({ model: provider[api](model), prompt })),
    sdk(`generateText of ${api} with a tool and a picture`, async (provider, prompt) =>
      generate({ model: provider[api](model), messages: [pictured(prompt)] }),
    ),
    sdk(`streamText of ${api}`, async (provider, prompt) => stream({ model: provider[api](model), prompt })),
    sdk(`streamText of ${api} with a tool and a picture`, async (provider, prompt) =>
      stream({ model: provider[api](model), messages: [pictured(prompt)] }),
    ),
  ]),
  ...[generate, stream].map((ask): FrameworkCall => ({
    name: `AI SDK ${ask.name} of Anthropic's wire with a tool and a picture`,
    run: ({ anthropicUrl, key }, prompt) =>
      attempt(() => {
        const provider = createAnthropic({ baseURL: `${anthropicUrl}/v1`, apiKey: key });
        return ask({ model: provider("claude-fake"), messages: [pictured(prompt)] });
      }),
  })),
  sdk("embedMany", async (provider, prompt) => {
    const { embeddings, usage, warnings, providerMetadata } = await embedMany({
      model: provider.embedding(model),
      values: [prompt, "other"],
      maxRetries: 0,
    });
    return { embeddings, usage, warnings, providerMetadata };
  }),
];

const weather = {
  type: "function" as const,
  function: { name: "look_up", description: "Looks the weather up.", parameters },
};
const tools: ToolSet = { look_up: { description: "Looks the weather up.", inputSchema: jsonSchema(parameters) } };

function langchain(name: string, call: (chat: ChatOpenAI, prompt: string) => Promise<unknown>): FrameworkCall {
  const run = ({ openaiUrl, key }: Target, prompt: string): Promise<unknown> =>
    attempt(async () =>
      call(new ChatOpenAI({ model, apiKey: key, maxRetries: 0, configuration: { baseURL: openaiUrl } }), prompt),
    );
  return { name: `LangChain ${name}`, run };
}

function withPicture(prompt: string): HumanMessage {
  const url = `data:image/png;base64,${pixel}`;
  return new HumanMessage({
    content: [
      { type: "image_url", image_url: { url } },
      { type: "text", text: prompt },
    ],
  });
}

/** What came until the end, and what that was. */
async function collectChunks(chunks: AsyncIterable<BaseMessage>): Promise<unknown> {
  const received: unknown[] = [];
  try {
    for await (const chunk of chunks) received.push(chunk.toDict());
    return received;
  } catch (error) {
    return { received, failure: toFailure(error) };
  }
}

function sdk(name: string, call: (provider: OpenAIProvider, prompt: string) => Promise<unknown>): FrameworkCall {
  const run = ({ openaiUrl, key }: Target, prompt: string): Promise<unknown> =>
    attempt(async () => call(createOpenAI({ baseURL: openaiUrl, apiKey: key }), prompt));
  return { name: `AI SDK ${name}`, run };
}

function pictured(prompt: string): ModelMessage {
  return {
    role: "user",
    content: [
      { type: "file", mediaType: "image/png", data: pixel },
      { type: "text", text: prompt },
    ],
  };
}

/** A model, and what it is asked. */
type Asked = { model: LanguageModel } & ({ prompt: string } | { messages: ModelMessage[] });

async function generate(asked: Asked): Promise<unknown> {
  const result = await generateText({ ...asked, tools, maxOutputTokens: 100, maxRetries: 0 });
  const { content, text, toolCalls, finishReason, rawFinishReason, usage, warnings, finalStep } = result;
  const { reasoningText, providerMetadata, response } = finalStep;
  const said = { content, text, reasoningText, toolCalls, finishReason, rawFinishReason };
  return { ...said, usage, warnings, providerMetadata, model: response.modelId };
}

async function stream(asked: Asked): Promise<unknown> {
  const parts: unknown[] = [];
  const failures: object[] = [];
  // What goes wrong is in the parts; without a listener it is printed too.
  const result = streamText({ ...asked, tools, maxOutputTokens: 100, maxRetries: 0, onError: () => undefined });
  for await (const part of result.stream) {
    if (part.type === "error") failures.push(toFailure(part.error));
    else parts.push(part);
  }
  return { parts, failures };
}

async function attempt(call: () => Promise<unknown>): Promise<unknown> {
  try {
    return await call();
  } catch (error) {
    return { failure: toFailure(error) };
  }
}
