import type { IncomingHttpHeaders } from "node:http";
import { gunzipSync } from "node:zlib";
import { readBody, startFakeServer } from "./fake-server.ts";

/** A request as it passed by, its body decompressed. */
export type RecordedRequest = { method: string; path: string; headers: IncomingHttpHeaders; body: Buffer };

/** The running recorder. */
export type Recorder = { url: string; requests: RecordedRequest[]; close(): Promise<void> };

/** Headers that belong to one connection. */
const ownHeaders = new Set(["host", "connection", "content-length", "transfer-encoding", "keep-alive"]);

/** Starts a server that passes every request on to `target`, answers what is answered there, and keeps the request. */
export async function startRecorder(target: string): Promise<Recorder> {
  const requests: RecordedRequest[] = [];
  const server = await startFakeServer(async (request, response) => {
    const { method = "", url: path = "", headers } = request;
    const sent = await readBody(request);
    const isGzip = headers["content-encoding"] === "gzip";
    requests.push({ method, path, headers, body: isGzip ? gunzipSync(sent) : sent });
    const passed = Object.entries(headers).flatMap(([name, value]): [string, string][] =>
      typeof value !== "string" || ownHeaders.has(name) ? [] : [[name, value]],
    );
    const hasBody = method !== "GET" && method !== "HEAD";
    const answer = await fetch(`${target}${path}`, {
      method,
      headers: passed,
      ...(hasBody ? { body: new Uint8Array(sent) } : {}),
    });
    response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "application/json" });
    response.end(Buffer.from(await answer.arrayBuffer()));
  });
  return { ...server, requests };
}
