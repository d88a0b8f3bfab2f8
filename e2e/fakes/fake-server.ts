import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { parseArgs } from "node:util";

/** A fake's HTTP server: listens on 127.0.0.1 only. */
export type FakeServer = {
  port: number;
  /** `http://127.0.0.1:<port>`, no slash at the end. */
  url: string;
  /** Stops listening and destroys what is still connected; calling it again changes nothing. */
  close(): Promise<void>;
};

/** Answers one request. What it throws becomes a 500 with the error's text. */
export type FakeHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void> | void;

/** Starts a server on 127.0.0.1; port 0 lets the system choose. */
export async function startFakeServer(handler: FakeHandler, port = 0): Promise<FakeServer> {
  const server = createServer((request, response) => {
    Promise.resolve()
      .then(() => handler(request, response))
      .catch((error: unknown) => {
        if (response.headersSent || response.destroyed) response.destroy();
        else sendJson(response, { status: 500, body: { error: `The fake failed: ${String(error)}` } });
      });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The fake has no TCP port.");
  return {
    port: address.port,
    url: `http://127.0.0.1:${String(address.port)}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Reads a request's whole body. Rejects where the client leaves before its end. */
export function readBody(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => resolve(Buffer.concat(chunks)));
    request.on("error", reject);
  });
}

/** An answer to send. */
export type FakeAnswer<Body> = { status: number; body: Body; headers?: Record<string, string> | undefined };

/** Sends a JSON answer with its length. */
export function sendJson(response: ServerResponse, { status, body, headers }: FakeAnswer<unknown>): void {
  const text = JSON.stringify(body);
  sendText(response, { status, body: text, headers: { "content-type": "application/json", ...headers } });
}

/** Sends a text answer with its length. */
export function sendText(response: ServerResponse, { status, body, headers }: FakeAnswer<string>): void {
  response.writeHead(status, { "content-length": Buffer.byteLength(body), ...headers });
  response.end(body);
}

/** True for a JSON object (no array, not null). */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Parses JSON; undefined where the text is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * The command line of a fake: starts it on `--port` (0), prints one JSON line `{"url","port"}` and stops on SIGTERM or
 * SIGINT. With `--until-stdin-ends` it also stops when its standard input ends, so that it never outlives a process
 * that started it with a pipe.
 */
export async function runFakeCli(start: (port: number) => Promise<FakeServer>): Promise<void> {
  const { values } = parseArgs({
    options: { port: { type: "string", default: "0" }, "until-stdin-ends": { type: "boolean", default: false } },
  });
  const fake = await start(Number(values.port));
  process.stdout.write(`${JSON.stringify({ url: fake.url, port: fake.port })}\n`);
  const stop = () => void fake.close().then(() => process.exit(0));
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);
  if (values["until-stdin-ends"]) process.stdin.once("end", stop).resume();
}
