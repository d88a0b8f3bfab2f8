import type { JsonObject } from "#logging/record.ts";

// The shapes of Anthropic's Messages API as its reference shows them.

/** A whole answer. */
export function message(content: JsonObject[], more: JsonObject = {}): string {
  return JSON.stringify({
    id: "msg_013Zva2CMHLNnjNjJKqJ2EF",
    type: "message",
    role: "assistant",
    model: "claude-sonnet-4-5-20250929",
    content,
    stop_reason: "end_turn",
    stop_sequence: null,
    usage: { input_tokens: 10, output_tokens: 25 },
    ...more,
  });
}

/** The first event of a stream. */
export const start = {
  type: "message_start",
  message: {
    id: "msg_014p7gG3wDgGV9EUtLvnow3U",
    type: "message",
    role: "assistant",
    model: "claude-sonnet-4-5-20250929",
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: { input_tokens: 472, output_tokens: 2 },
  },
};
/** A piece of a block. */
export const delta = (index: number, value: JsonObject): JsonObject & { type: string } => ({
  type: "content_block_delta",
  index,
  delta: value,
});
/** The beginning of a block. */
export const begin = (index: number, block: JsonObject): JsonObject & { type: string } => ({
  type: "content_block_start",
  index,
  content_block: block,
});
/** The end of a block. */
export const stop = (index: number): JsonObject & { type: string } => ({ type: "content_block_stop", index });
/** The last events of a stream. */
export const end = (reason: string, outputTokens: number): (JsonObject & { type: string })[] => [
  {
    type: "message_delta",
    delta: { stop_reason: reason, stop_sequence: null },
    usage: { output_tokens: outputTokens },
  },
  { type: "message_stop" },
];
/** An error's body. */
export const failure = (type: string, text: string): string =>
  JSON.stringify({ type: "error", error: { type, message: text }, request_id: "req_011CSHoEeqs5C35K2UUqR7Fy" });
