import type { Json, JsonObject } from "#logging/record.ts";
import type { Feature } from "#testing/vendors/vendor-case.ts";

/** One exchange with a vendor whose wire is OpenAI's, as the vendor's documentation shows it. */
export type PassedOnCase = {
  feature: Feature;
  name: string;
  /** The vendor's page that the exchange is taken from. */
  page: string;
  /** The chat request, without model and messages where they are the usual ones. */
  request?: JsonObject;
  upstream: { status?: number; headers?: Record<string, string>; body: string };
  /** The frame that is for the log alone where a client did not ask for the usage of a stream. */
  usageFrame?: string;
  /** What the log says of the answer: its one choice, and the counts. */
  logged?: { choice: JsonObject; usage?: JsonObject };
  /** What the client is told, and the log: the vendor's status, type and words. */
  failure?: { status: number; type?: string; message: string };
};

/** One vendor: how config.yaml names it, what a request looks like there, and its cases. */
export type PassedOnVendor = {
  name: string;
  params: JsonObject;
  /** What stands in front of the path in the vendor's address. */
  base: string;
  sent: { path: string; headers: Record<string, string>; model: string };
  /** False where streams carry their usage, or have none, and asking for it is refused. */
  asksForUsage: boolean;
  cases: readonly PassedOnCase[];
};

/** An event stream of chunks. */
export function toFrames(chunks: readonly JsonObject[]): string {
  return chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`).join("");
}

/** What ends a stream of OpenAI's wire. */
export const done = "data: [DONE]\n\n";

/** The errors of a vendor: each status with its body, and what is read in it. */
export function toErrorCases(
  page: string,
  errors: readonly { status: number; body: Json; message: string; type?: string; retryAfter?: string }[],
): PassedOnCase[] {
  return errors.map(({ status, body, retryAfter, ...said }) => ({
    feature: "errors",
    name: `a ${String(status)}: ${said.message.slice(0, 40)}`,
    page,
    upstream: {
      status,
      body: JSON.stringify(body),
      ...(retryAfter === undefined ? {} : { headers: { "retry-after": retryAfter } }),
    },
    failure: { status, ...said },
  }));
}

/** Makes the chunks and the whole answers of one vendor, which have these fields in common. */
export function makeWire(common: JsonObject): {
  whole(choice: JsonObject, more: JsonObject): string;
  chunk(delta: JsonObject, choice?: JsonObject, more?: JsonObject): JsonObject;
  last(more: JsonObject): JsonObject;
} {
  return {
    whole: (choice, more) =>
      // Spaces and line ends of the vendor's own, which must arrive too.
      JSON.stringify({ ...common, object: "chat.completion", choices: [{ index: 0, ...choice }], ...more }, null, 1),
    chunk: (delta, choice = {}, more = {}) => ({
      ...common,
      object: "chat.completion.chunk",
      choices: [{ index: 0, delta, finish_reason: null, ...choice }],
      ...more,
    }),
    last: (more) => ({ ...common, object: "chat.completion.chunk", choices: [], ...more }),
  };
}
