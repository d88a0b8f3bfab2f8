/**
 * Loaded before Portkey's gateway (1.15.2). With the `@hono/node-server` that npm installs for it today (1.19), every
 * streamed answer is a 500: the gateway appends to the headers of a `fetch` answer, and those are immutable. Here
 * streamed answers get a copy of their headers; everything else is untouched.
 */

const originalFetch = globalThis.fetch;
const OriginalResponse = globalThis.Response;

globalThis.fetch = async (input, init) => {
  const answer = await originalFetch(input, init);
  if (!answer.headers.get("content-type")?.startsWith("text/event-stream")) return answer;
  const { status, statusText, headers } = answer;
  return new OriginalResponse(answer.body, { status, statusText, headers });
};

export {};
