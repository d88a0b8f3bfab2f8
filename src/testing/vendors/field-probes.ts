import type { JsonObject } from "#logging/record.ts";
import { pixel, weatherTool } from "#testing/vendors/vendor-case.ts";

const user = (part: JsonObject): JsonObject => ({ messages: [{ role: "user", content: [part] }] });
const image = (url: string): JsonObject => user({ type: "image_url", image_url: { url } });

/** A request for each field of OpenAI's chat that vendors differ in, by what the documentation calls it. */
export const fieldProbes: Readonly<Record<string, JsonObject>> = {
  "`temperature`": { temperature: 0.5 },
  "`top_p`": { top_p: 0.5 },
  "`top_k`": { top_k: 5 },
  "`max_tokens`, `max_completion_tokens`": { max_tokens: 100 },
  "`stop`": { stop: ["END"] },
  "`seed`": { seed: 7 },
  "`frequency_penalty`, `presence_penalty`": { frequency_penalty: 0.5, presence_penalty: 0.5 },
  "`tool_choice`": { tools: [weatherTool], tool_choice: "required" },
  "`parallel_tool_calls: false`": { tools: [weatherTool], parallel_tool_calls: false },
  "`response_format`: `json_object`": { response_format: { type: "json_object" } },
  "`reasoning_effort`": { reasoning_effort: "low", max_tokens: 4000 },
  "`thinking`": { thinking: { type: "enabled", budget_tokens: 1024 }, max_tokens: 4000 },
  "`user`": { user: "user-7" },
  "Images as `data:` URLs": image(`data:image/png;base64,${pixel}`),
  "Images by address": image("https://example.com/ant.jpg"),
  "PDF files as `data:` URLs": user({
    type: "file",
    file: { filename: "a.pdf", file_data: "data:application/pdf;base64,JVBERi0xLjQK" },
  }),
  Audio: user({ type: "input_audio", input_audio: { data: "AA==", format: "wav" } }),
  "`cache_control`": user({ type: "text", text: "Long.", cache_control: { type: "ephemeral" } }),
  "`n` over 1, `logprobs`, `logit_bias`": { n: 2, logprobs: true, logit_bias: { "50256": -100 } },
};
