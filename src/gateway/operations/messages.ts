import { z } from "zod";
import { messagesWire, toMessagesErrorFrame } from "#gateway/messages-stream.ts";
import { callBody, readJsonAnswer, streamField, type Operation } from "#gateway/operation.ts";
import { makeStreamCopy } from "#gateway/stream-copy.ts";
import type { Json, JsonObject, RecordInput } from "#logging/record.ts";

/** Anthropic's `/v1/messages`. */
export const messages: Operation = {
  name: "messages",
  routeClass: "anthropic",
  callType: "anthropic_messages",
  path: "/messages",
  describe: {
    summary: "Answer by Anthropic's Messages API, plain or streamed",
    example: { model: "claude-sonnet-4-5", max_tokens: 100, messages: [{ role: "user", content: "Hello" }] },
    stream: "Events in Anthropic's shape; the last is `message_stop`.",
  },
  body: callBody({ messages: z.array(z.unknown(), { error: "must be a list of messages" }), stream: streamField }),
  forwardsMetadata: true,
  errors: "anthropic",
  readInput,
  parameters: [
    ...["temperature", "top_p", "top_k", "stream", "stop_sequences", "max_tokens", "tool_choice", "thinking"],
    ...["service_tier"],
  ],
  makeCopy: ({ isStream }) => (isStream ? makeStreamCopy(messagesWire, false) : null),
  toErrorFrame: toMessagesErrorFrame,
  readAnswer: readJsonAnswer,
};

function readInput({ system, messages: asked, tools }: JsonObject): RecordInput {
  const first: Json[] = system === undefined || system === null ? [] : [{ role: "system", content: system }];
  return {
    messages: [...first, ...(Array.isArray(asked) ? asked : [])],
    ...(tools === undefined ? {} : { tools }),
  };
}
