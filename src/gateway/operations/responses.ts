import { responsesWire, toEventErrorFrame } from "#gateway/event-stream.ts";
import { callBody, readJsonAnswer, streamField, type Operation } from "#gateway/operation.ts";
import { makeStreamCopy } from "#gateway/stream-copy.ts";
import type { Json, JsonObject, RecordInput } from "#logging/record.ts";

/** `/v1/responses`. */
export const responses: Operation = {
  name: "responses",
  routeClass: "openai",
  callType: "aresponses",
  path: "/responses",
  describe: {
    summary: "Answer by OpenAI's Responses API, plain or streamed",
    example: { model: "gpt-4o", input: "Hello" },
    stream: "Events in OpenAI's shape; the last is `response.completed`, `response.incomplete` or `response.failed`.",
  },
  body: callBody({ stream: streamField }),
  forwardsMetadata: true,
  readInput,
  parameters: [
    ...["temperature", "top_p", "stream", "max_output_tokens", "max_tool_calls", "top_logprobs", "tool_choice"],
    ...["parallel_tool_calls", "service_tier", "reasoning", "text", "truncation", "store", "background", "include"],
  ],
  makeCopy: ({ isStream }) => (isStream ? makeStreamCopy(responsesWire, false) : null),
  toErrorFrame: toEventErrorFrame,
  readAnswer: readJsonAnswer,
};

/** The instructions as a system message, then the input: a text is what the user said, a list is as it came. */
function readInput({ instructions, input, tools }: JsonObject): RecordInput {
  const system: Json[] =
    instructions === undefined || instructions === null ? [] : [{ role: "system", content: instructions }];
  const asked = Array.isArray(input) ? input : [{ role: "user", content: input ?? "" }];
  return { messages: [...system, ...asked], ...(tools === undefined ? {} : { tools }) };
}
