import { Server } from "node:net";

/**
 * Loaded before Portkey's gateway (1.15.2). With the `@hono/node-server` that npm installs for it today (1.19), every
 * streamed answer and every embedding is a 500: the gateway appends to the headers of a `fetch` answer, and those are
 * immutable. Here these answers get a copy of their headers. And it listens on 127.0.0.1, where left alone it would take every
 * address of the machine. Everything else is untouched.
 */

const originalFetch = globalThis.fetch;
const OriginalResponse = globalThis.Response;

globalThis.fetch = async (input, init) => {
  const answer = await originalFetch(input, init);
  const isStream = answer.headers.get("content-type")?.startsWith("text/event-stream");
  if (!isStream && !answer.url.endsWith("/embeddings")) return answer;
  const { status, statusText, headers } = answer;
  return new OriginalResponse(answer.body, { status, statusText, headers });
};

const originalListen: unknown = Reflect.get(Server.prototype, "listen");

Object.defineProperty(Server.prototype, "listen", {
  value(this: Server, ...given: unknown[]): unknown {
    const [port, host, ...others] = given;
    const args = typeof port === "number" && host === undefined ? [port, "127.0.0.1", ...others] : given;
    return typeof originalListen === "function" ? Reflect.apply(originalListen, this, args) : this;
  },
});
