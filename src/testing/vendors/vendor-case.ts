import type { JsonObject } from "#logging/record.ts";

/** What a vendor's wire is held to: one row of the documentation's table. */
export const features = {
  text: "Text",
  stream: "Streams",
  tools: "Tool calls, streamed too",
  history: "Tool results and earlier answers",
  images: "Images",
  schema: "JSON schema (`response_format`)",
  reasoning: "Reasoning (`reasoning_effort`, `thinking`)",
  cache: "Cached tokens",
  errors: "Errors with the vendor's status and words",
  broken: "Errors in the middle of a stream",
} as const;

/** A row of the documentation's table. */
export type Feature = keyof typeof features;

/** One exchange: what a client asks in OpenAI's words, the vendor's wire as its documentation shows it, and the answer. */
export type VendorCase = {
  feature: Feature;
  name: string;
  /** The vendor's page that the exchange is taken from. */
  page: string;
  /** The chat request, without model and messages where they are the usual ones. */
  request: JsonObject;
  /** What the vendor must have been sent, at least. */
  sent?: { path?: string; body: JsonObject };
  upstream: { status?: number; headers?: Record<string, string>; body: string | Uint8Array };
  /** The message, or for an error its message and type; the fields that must be there. */
  answer: JsonObject;
  finishReason?: string;
  usage?: JsonObject;
  /** What must not come back: the answer's status where it is an error. */
  status?: number;
};

/** One vendor: how config.yaml names it, and its cases. `account`: whose sign-in a call needs first. */
export type Vendor = { name: string; params: JsonObject; account?: "google"; cases: readonly VendorCase[] };

/** An event stream of events whose `type` is their name too. */
export function toNamedEvents(events: readonly (JsonObject & { type: string })[]): string {
  return events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join("");
}

/** What is asked where a case does not say: one short question. */
export const question: JsonObject[] = [{ role: "user", content: "What is the weather like in San Francisco?" }];

/** The tool of the vendors' own examples. */
export const weatherTool: JsonObject = {
  type: "function",
  function: {
    name: "get_weather",
    description: "Get the current weather in a given location",
    parameters: { type: "object", properties: { location: { type: "string" } }, required: ["location"] },
  },
};

/** A picture of one pixel. */
export const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
