import { Agent, createServer, request as requestUpstream } from "node:http";
import { runFakeCli } from "../e2e/fakes/fake-server.ts";
import type { FakeServer } from "../e2e/fakes/fake-server.ts";

/** The floor of the comparison: `node:http` in, `node:http` out, bytes piped both ways, nothing looked at. */

/** Starts a pass-through to `upstreamUrl` on 127.0.0.1. */
export async function startPassThrough(upstreamUrl: string, port: number): Promise<FakeServer> {
  const agent = new Agent({ keepAlive: true });
  const { hostname, port: upstreamPort } = new URL(upstreamUrl);
  const server = createServer((request, response) => {
    const upstream = requestUpstream(
      {
        agent,
        hostname,
        port: upstreamPort,
        path: request.url,
        method: request.method,
        headers: { ...request.headers, host: `${hostname}:${upstreamPort}` },
      },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      },
    );
    upstream.on("error", () => response.destroy());
    request.pipe(upstream);
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The pass-through has no TCP port.");
  return {
    port: address.port,
    url: `http://127.0.0.1:${String(address.port)}`,
    close: () =>
      new Promise((resolve) => {
        agent.destroy();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

if (import.meta.main) {
  await runFakeCli((port) => startPassThrough(process.env.UPSTREAM_URL ?? "", port));
}
