/** What the load generator can send: one request each, the same bytes every time. */

/** One kind of request. */
export type Load = {
  name: string;
  /** What the table calls it. */
  label: string;
  path: string;
  body: string;
  /** The end of a complete answer. */
  ending: string;
};

const sentence = "Summarise the following minutes for somebody who was not there, in three sentences. ";

function chat(prompt: string, more = {}): string {
  return JSON.stringify({ model: "mock", messages: [{ role: "user", content: prompt }], temperature: 0.2, ...more });
}

/** A chat of 1 kB, answered whole. */
export const whole: Load = {
  name: "whole",
  label: "whole",
  path: "/v1/chat/completions",
  body: chat(sentence.repeat(12)),
  ending: "}",
};

/** The same chat, answered in 50 chunks. */
export const streamed: Load = {
  name: "streamed",
  label: "streamed",
  path: "/v1/chat/completions",
  body: chat(sentence.repeat(12), { stream: true }),
  ending: "data: [DONE]\n\n",
};

/** An embedding of 1 kB of text as the official clients ask for it: 1,536 numbers in base64. */
export const embeddings: Load = {
  name: "embeddings",
  label: "embeddings",
  path: "/v1/embeddings",
  body: JSON.stringify({ model: "mock", input: sentence.repeat(12), encoding_format: "base64" }),
  ending: "}",
};

/** A chat with a prompt of 20 kB, answered whole. */
export const largePrompt: Load = {
  name: "large-prompt",
  label: "whole, 20 kB prompt",
  path: "/v1/chat/completions",
  body: chat(sentence.repeat(Math.ceil(20_000 / sentence.length))),
  ending: "}",
};

/** All of them, in the order of the table. */
export const loads: readonly Load[] = [whole, streamed, embeddings, largePrompt];
