import { textWire } from "#gateway/chat-stream.ts";
import { asUserMessage, callBody, given, readJsonAnswer, streamField, type Operation } from "#gateway/operation.ts";
import { makeStreamCopy } from "#gateway/stream-copy.ts";
import { toOpenaiErrorFrame } from "#gateway/stream-wire.ts";

/** `/v1/completions`. */
export const text: Operation = {
  name: "text",
  routeClass: "openai",
  callType: "atext_completion",
  path: "/completions",
  describe: {
    summary: "Complete a text, plain or streamed",
    example: { model: "gpt-3.5-turbo-instruct", prompt: "Once upon a time" },
    stream:
      "Chunks in OpenAI's shape, then `data: [DONE]`. A failure after the first chunk is a frame with the envelope of errors, and no `[DONE]`.",
  },
  body: callBody({ prompt: given("a prompt"), stream: streamField }),
  modelSetting: "completion_model",
  asksForUsage: true,
  readInput: ({ prompt }) => asUserMessage(prompt),
  parameters: [
    ...["temperature", "top_p", "n", "best_of", "stream", "stream_options", "stop", "max_tokens", "echo"],
    ...["presence_penalty", "frequency_penalty", "logit_bias", "seed", "logprobs"],
  ],
  makeCopy: ({ isStream, hideUsage }) => (isStream ? makeStreamCopy(textWire, hideUsage) : null),
  toErrorFrame: toOpenaiErrorFrame,
  readAnswer: readJsonAnswer,
};
