import { z } from "zod";
import { chatWire } from "#gateway/chat-stream.ts";
import { callBody, readJsonAnswer, streamField, type Operation } from "#gateway/operation.ts";
import { makeStreamCopy } from "#gateway/stream-copy.ts";
import { toOpenaiErrorFrame } from "#gateway/stream-wire.ts";

/** `/v1/chat/completions`. */
export const chat: Operation = {
  name: "chat",
  routeClass: "openai",
  callType: "acompletion",
  path: "/chat/completions",
  describe: {
    summary: "Complete a chat, plain or streamed",
    example: { model: "gpt-4o", messages: [{ role: "user", content: "Hello" }] },
    stream:
      "Chunks in OpenAI's shape, then `data: [DONE]`. A failure after the first chunk is a frame with the envelope of errors, and no `[DONE]`.",
  },
  body: callBody({ messages: z.array(z.unknown(), { error: "must be a list of messages" }), stream: streamField }),
  modelSetting: "completion_model",
  asksForUsage: true,
  readInput: ({ messages, tools, functions }) => ({
    messages: messages ?? [],
    ...(tools === undefined ? {} : { tools }),
    ...(functions === undefined ? {} : { functions }),
  }),
  parameters: [
    ...["temperature", "top_p", "n", "stream", "stream_options", "stop", "max_tokens", "max_completion_tokens"],
    ...["presence_penalty", "frequency_penalty", "logit_bias", "response_format", "seed", "tool_choice", "logprobs"],
    ...["top_logprobs", "parallel_tool_calls", "service_tier", "reasoning_effort", "modalities", "verbosity", "store"],
  ],
  makeCopy: ({ isStream, hideUsage }) => (isStream ? makeStreamCopy(chatWire, hideUsage) : null),
  toErrorFrame: toOpenaiErrorFrame,
  readAnswer: readJsonAnswer,
};
