import { createServer, type RequestListener, type ServerResponse } from "node:http";
import { createServer as createTcpServer, type Server as NetServer, type Socket } from "node:net";
import { gzipSync } from "node:zlib";
import { afterEach, expect, test } from "vitest";
import { parsePrivateHosts, privateHostsState } from "#lib/address-private-hosts.ts";
import { resolverState } from "#lib/address-resolver.ts";
import { UpstreamError } from "#lib/errors.ts";
import { getAgents } from "#lib/fetch-agents.ts";
import { findFailure } from "#lib/fetch-failure.ts";
import { closeUpstreams, type FetchOptions, fetchUpstream, readBody, readText } from "#lib/fetch-upstream.ts";

let stops: (() => void)[] = [];

afterEach(async () => {
  await closeUpstreams();
  privateHostsState.clear();
  resolverState.clear();
  for (const stop of stops) stop();
  stops = [];
});

type Fake = { url: string; port: number; sockets: Socket[]; closed: Promise<unknown> };

async function start(server: NetServer): Promise<Fake> {
  const closed = Promise.withResolvers<undefined>();
  const sockets: Socket[] = [];
  server.on("connection", (socket: Socket) => {
    sockets.push(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => {
      closed.resolve(undefined);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  stops.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  if (typeof address !== "object" || !address) throw new Error("No port.");
  const { port } = address;
  return { url: `http://127.0.0.1:${String(port)}/path?q=1`, port, sockets, closed: closed.promise };
}

const serve = (listener: RequestListener) => start(createServer(listener));
const operator: FetchOptions = { reach: "operator" };

async function failureOf(promise: Promise<unknown>): Promise<UpstreamError> {
  const error: unknown = await promise.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof UpstreamError)) throw new Error(`No UpstreamError: ${String(error)}`);
  return error;
}

test("sends method, path, headers and body, and gives status, headers and body", async () => {
  const { url } = await serve((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      response.writeHead(418, { "X-One": "1", "set-cookie": ["a=1", "b=2"] });
      const { method, headers } = request;
      response.end(
        JSON.stringify([
          method,
          request.url,
          headers["x-a"],
          headers["accept-encoding"],
          Buffer.concat(parts).toString(),
        ]),
      );
    });
  });
  const answer = await fetchUpstream(url, { ...operator, method: "POST", headers: { "X-A": "a" }, body: "é" });
  expect(answer.status).toBe(418);
  expect(answer.headers).toMatchObject({ "x-one": "1", "set-cookie": "a=1, b=2" });
  expect(JSON.parse(await readText(answer, 1000))).toEqual(["POST", "/path?q=1", "a", "identity", "é"]);
  const put = await fetchUpstream(url, {
    ...operator,
    method: "PUT",
    headers: { "Accept-Encoding": "gzip" },
    body: new Uint8Array([120, 121]).subarray(1),
  });
  expect(JSON.parse(await readText(put, 1000))).toEqual(["PUT", "/path?q=1", null, "gzip", "y"]);
});

test("passes compressed bytes on as they came", async () => {
  const bytes = gzipSync("compressed");
  const { url } = await serve((_request, response) =>
    response.writeHead(200, { "content-encoding": "gzip" }).end(bytes),
  );
  expect(await readBody(await fetchUpstream(url, operator), 1000)).toEqual(bytes);
});

test("uses connections again", async () => {
  const { url, sockets } = await serve((_request, response) => response.end("ok"));
  for (let round = 0; round < 20; round += 1) await readText(await fetchUpstream(url, operator), 10);
  // Two take turns: a connection is free one turn of the event loop after its answer.
  expect(sockets.length).toBeLessThanOrEqual(2);
});

test("idle connections are closed and their origins forgotten", async () => {
  const { url, sockets } = await serve((_request, response) =>
    response.writeHead(200, { "keep-alive": "timeout=2" }).end(),
  );
  privateHostsState.set(parsePrivateHosts(["127.0.0.1"]));
  for (const reach of ["operator", "guarded"] as const) await readText(await fetchUpstream(url, { reach }), 10);
  await expect.poll(() => sockets.filter((socket) => socket.destroyed).length, { timeout: 15_000 }).toBe(2);
  const { operator: first, guarded } = getAgents();
  expect([first.stats, guarded.stats]).toEqual([{}, {}]);
});

test("a refused connection says where and why, and nothing of path, query or headers", async () => {
  const { url, port } = await serve(() => undefined);
  for (const stop of stops) stop();
  const error = await failureOf(
    fetchUpstream(`${url}&key=hunter2`, { ...operator, headers: { authorization: "hunter2" } }),
  );
  expect(error.message).toBe(`Could not connect to 127.0.0.1:${String(port)} (ECONNREFUSED)`);
  expect([error.status, error.retryable, error.cause]).toEqual([0, true, { kind: "connect", code: "ECONNREFUSED" }]);
});

test("refuses a URL with credentials without showing them, and a header that is none", async () => {
  const credentials = await failureOf(fetchUpstream("http://user:hunter2@127.0.0.1:1/", operator));
  expect(credentials.message).not.toContain("hunter2");
  expect([credentials.fault, findFailure(credentials)?.kind]).toEqual(["destination", "invalid_request"]);
  const header = await failureOf(
    fetchUpstream("http://127.0.0.1:1/", { ...operator, headers: { "x-key": "hunter2\n" } }),
  );
  expect(header.message).not.toContain("hunter2");
  expect(findFailure(header)?.kind).toBe("invalid_request");
});

test("a name without an address is told apart", async () => {
  privateHostsState.set(parsePrivateHosts(["gone.example"]));
  resolverState.set(() => Promise.reject(Object.assign(new Error("secret address"), { code: "ENOTFOUND" })));
  const error = await failureOf(fetchUpstream("https://gone.example/", { reach: "guarded" }));
  expect(error.message).toBe("Could not connect to gone.example:443 (ENOTFOUND)");
});

test("a server that answers no HTTP, closes early or cuts its answer is told apart", async () => {
  const say = (text: string) => start(createTcpServer((socket) => socket.once("data", () => socket.end(text))));
  const noise = await failureOf(fetchUpstream((await say("SSH-2.0-OpenSSH\r\n")).url, operator));
  expect(findFailure(noise)?.kind).toBe("protocol");
  const early = await failureOf(fetchUpstream((await say("")).url, operator));
  expect(findFailure(early)).toEqual({ kind: "closed", code: "ECONNRESET" });
  const cut = await fetchUpstream((await say("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf")).url, operator);
  expect(findFailure(await failureOf(readBody(cut, 100)))?.kind).toBe("closed");
});

test("the reader of a cut answer gets what came before the cut", async () => {
  const text = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n";
  const { url } = await start(createTcpServer((socket) => socket.once("data", () => socket.end(text))));
  const parts: string[] = [];
  const read = async () => {
    for await (const part of (await fetchUpstream(url, operator)).body) parts.push(part.toString());
  };
  expect(findFailure(await failureOf(read()))?.kind).toBe("closed");
  expect(parts).toEqual(["half"]);
});

const hang = () => undefined;
const hangInBody = (_request: unknown, response: ServerResponse) => {
  response.writeHead(200).write("start");
};

test("a server that does not answer ends in a headers timeout", async () => {
  const { url, closed } = await serve(hang);
  const error = await failureOf(fetchUpstream(url, { ...operator, headersTimeoutMs: 50 }));
  expect(error.message).toMatch(/^Timeout: no answer from 127\.0\.0\.1:\d+ in time$/);
  expect(findFailure(error)?.kind).toBe("timeout_headers");
  await closed;
});

test("an answer that stops coming ends in a body timeout", async () => {
  const { url, closed } = await serve(hangInBody);
  const answer = await fetchUpstream(url, { ...operator, bodyTimeoutMs: 50 });
  const error = await failureOf(readBody(answer, 1000));
  expect([findFailure(error)?.kind, error.message.startsWith("Timeout")]).toEqual(["timeout_body", true]);
  await closed;
});

test.each([
  ["before the headers", hang],
  ["in the body", hangInBody],
])("the total time ends a call %s", async (_when, listener) => {
  const { url, closed } = await serve(listener);
  const call = fetchUpstream(url, { ...operator, totalTimeoutMs: 100 }).then((answer) => readBody(answer, 1000));
  const error = await failureOf(call);
  expect([findFailure(error)?.kind, error.message.startsWith("Timeout")]).toEqual(["timeout_total", true]);
  await closed;
});

test("a connection that is never made ends in a connect timeout", async () => {
  privateHostsState.set(parsePrivateHosts(["hung.example"]));
  resolverState.set(() => new Promise(() => undefined));
  const error = await failureOf(fetchUpstream("http://hung.example/", { reach: "guarded", connectTimeoutMs: 50 }));
  expect(error.message).toBe("Timeout: no connection to hung.example:80 in time");
  expect(findFailure(error)?.kind).toBe("timeout_connect");
});

test("the wait for a free connection counts, and a call that gave up is never sent", async () => {
  const waiting: ServerResponse[] = [];
  const paths: string[] = [];
  const { url } = await serve((request, response) => {
    paths.push(request.url ?? "");
    waiting.push(response);
    if (paths.includes("/last")) response.end();
  });
  privateHostsState.set(parsePrivateHosts(["127.0.0.1"]));
  const calls = Array.from({ length: 16 }, () => fetchUpstream(url, { reach: "guarded" }));
  await expect.poll(() => waiting.length).toBe(16);
  const given = new AbortController();
  const late = fetchUpstream(new URL("/late", url).href, { reach: "guarded", connectTimeoutMs: 50 });
  const aborted = fetchUpstream(new URL("/aborted", url).href, { reach: "guarded", signal: given.signal });
  expect(findFailure(await failureOf(late))?.kind).toBe("timeout_connect");
  given.abort();
  await expect(aborted).rejects.toMatchObject({ name: "AbortError" });
  for (const response of waiting) response.end();
  await Promise.all(calls.map(async (call) => readBody(await call, 10)));
  await readBody(await fetchUpstream(new URL("/last", url).href, { reach: "guarded" }), 10);
  expect(paths).not.toContain("/late");
  expect(paths).not.toContain("/aborted");
});

test("the caller's signal ends a call before the answer, with its own reason, and closes the connection", async () => {
  const arrived = Promise.withResolvers<undefined>();
  const { url, closed } = await serve(() => {
    arrived.resolve(undefined);
  });
  const given = new AbortController();
  const call = fetchUpstream(url, { ...operator, signal: given.signal });
  await arrived.promise;
  const reason = new Error("the team was disabled");
  given.abort(reason);
  await expect(call).rejects.toBe(reason);
  await closed;
});

test("the caller's signal ends a body, with its own reason, and closes the connection", async () => {
  const { url, closed } = await serve(hangInBody);
  const given = new AbortController();
  const answer = await fetchUpstream(url, { ...operator, signal: given.signal });
  const reading = readBody(answer, 1000);
  given.abort();
  await expect(reading).rejects.toMatchObject({ name: "AbortError" });
  await closed;
});

test("a signal that is aborted already sends nothing", async () => {
  const { url, sockets } = await serve(hang);
  await expect(fetchUpstream(url, { ...operator, signal: AbortSignal.abort() })).rejects.toMatchObject({
    name: "AbortError",
  });
  expect(sockets.length).toBe(0);
});

test("a signal that fires after the answer was read changes nothing", async () => {
  const { url, sockets } = await serve((_request, response) => response.end("ok"));
  const given = new AbortController();
  await readText(await fetchUpstream(url, { ...operator, signal: given.signal }), 10);
  given.abort();
  expect(await readText(await fetchUpstream(url, operator), 10)).toBe("ok");
  expect(sockets.filter((socket) => socket.destroyed)).toEqual([]);
});

test("destroying a body closes its connection, and reading it afterwards ends at once", async () => {
  const { url, closed } = await serve(hangInBody);
  const answer = await fetchUpstream(url, operator);
  answer.body.destroy();
  answer.body.destroy();
  expect(await readText(answer, 10)).toBe("");
  await closed;
});

test("leaving the loop over a body closes its connection", async () => {
  const { url, closed } = await serve(hangInBody);
  const answer = await fetchUpstream(url, operator);
  for await (const part of answer.body) {
    expect(part.toString()).toBe("start");
    break;
  }
  await closed;
});

test("a body over the limit is refused and its connection closed", async () => {
  const { url, closed } = await serve((_request, response) => {
    response.write(Buffer.alloc(100_000));
  });
  const error = await failureOf(readBody(await fetchUpstream(url, operator), 99_999));
  expect(findFailure(error)).toEqual({ kind: "too_large", code: "99999" });
  expect(error.retryable).toBe(false);
  await closed;
});

test("a large body waits for its reader, and comes whole", async () => {
  const piece = Buffer.alloc(65_536, "a");
  const pieces = 1024;
  let written = 0;
  const { url } = await serve((_request, response) => {
    const write = () => {
      while (written < pieces) {
        written += 1;
        if (!response.write(piece)) {
          response.once("drain", write);
          return;
        }
      }
      response.end();
    };
    write();
  });
  const answer = await fetchUpstream(url, operator);
  let before = -1;
  while (before !== written) {
    before = written;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  expect(written).toBeLessThan(pieces / 2);
  let bytes = 0;
  for await (const part of answer.body) bytes += part.length;
  expect([bytes, written]).toEqual([piece.length * pieces, pieces]);
});

test("closing all connections fails what is underway, and the next call starts anew", async () => {
  const arrived = Promise.withResolvers<undefined>();
  const { url } = await serve((request, response) => {
    if (request.method === "POST") response.end("ok");
    else arrived.resolve(undefined);
  });
  const failure = failureOf(fetchUpstream(url, operator));
  await arrived.promise;
  await closeUpstreams();
  expect(findFailure(await failure)?.kind).toBe("closed");
  expect(await readText(await fetchUpstream(url, { ...operator, method: "POST" }), 10)).toBe("ok");
});
