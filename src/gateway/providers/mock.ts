import { randomUUID } from "node:crypto";
import type { Provider, ProviderAnswer, ProviderCall } from "#gateway/providers/provider.ts";
import { isJsonObject } from "#logging/record.ts";

/**
 * The built-in upstream that needs no account: answers every chat with `litellm_params.mock_response`, in OpenAI's
 * shapes, plain and streamed. Tokens are counted as words.
 */
export const mock: Provider = {
  name: "mock",
  apiBase: null,
  exceptionName: "MockException",
  takes: ({ name }) => name === "chat",
  async send(call) {
    return call.body.stream === true ? streamed(call) : plain(call);
  },
};

const answerDefault = "This is a mock response.";

function plain(call: ProviderCall): ProviderAnswer {
  const completion = {
    ...common(call, "chat.completion"),
    choices: [
      {
        index: 0,
        message: { role: "assistant", content: textOf(call), refusal: null },
        logprobs: null,
        finish_reason: "stop",
      },
    ],
    usage: usageOf(call),
  };
  return { status: 200, headers: { "content-type": "application/json" }, body: toBody([JSON.stringify(completion)]) };
}

function streamed(call: ProviderCall): ProviderAnswer {
  const base = common(call, "chat.completion.chunk");
  const choice = (delta: object, finishReason: string | null): object => ({
    ...base,
    choices: [{ index: 0, delta, logprobs: null, finish_reason: finishReason }],
  });
  const words = textOf(call).split(/(?<=\s)/);
  const chunks = [
    choice({ role: "assistant", content: "", refusal: null }, null),
    ...words.map((content) => choice({ content }, null)),
    choice({}, "stop"),
  ];
  const options = call.body.stream_options;
  if (isJsonObject(options) && options.include_usage === true)
    chunks.push({ ...base, choices: [], usage: usageOf(call) });
  const frames = [...chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`), "data: [DONE]\n\n"];
  return { status: 200, headers: { "content-type": "text/event-stream; charset=utf-8" }, body: toBody(frames) };
}

function common(call: ProviderCall, object: string): { id: string; object: string; created: number; model: string } {
  const created = Math.floor(Date.now() / 1000);
  return { id: `chatcmpl-${randomUUID()}`, object, created, model: call.deployment.upstreamModel };
}

function textOf(call: ProviderCall): string {
  return call.deployment.mockResponse ?? answerDefault;
}

function usageOf(call: ProviderCall): { prompt_tokens: number; completion_tokens: number; total_tokens: number } {
  const promptTokens = countWords(JSON.stringify(call.body.messages ?? ""));
  const completionTokens = countWords(textOf(call));
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
  };
}

function countWords(text: string): number {
  return text.split(/\s+/).filter((word) => word !== "").length;
}

function toBody(parts: readonly string[]): ProviderAnswer["body"] {
  let isOver = false;
  async function* read(): AsyncGenerator<Buffer> {
    for (const part of parts) {
      if (isOver) return;
      yield Buffer.from(part, "utf8");
    }
  }
  return Object.assign(read(), {
    destroy: () => {
      isOver = true;
    },
  });
}
