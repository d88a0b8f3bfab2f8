import { createServer as createHttpServer } from "node:http";
import { createServer, type Server } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { checkGuardedUrl } from "#lib/address-guard.ts";
import { parsePrivateHosts, privateHostsState } from "#lib/address-private-hosts.ts";
import { resolverState } from "#lib/address-resolver.ts";
import { UpstreamError } from "#lib/errors.ts";
import { findFailure } from "#lib/fetch-failure.ts";
import { closeUpstreams, fetchUpstream, readText } from "#lib/fetch-upstream.ts";

/** Canaries on both loopback families and one port, and an honest server on 127.0.0.2 and that same port. */
let port = 0;
let canaryConnections = 0;
let servers: Server[] = [];

async function listen(server: Server, host: string, onPort: number): Promise<number> {
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(onPort, host, resolve));
  servers.push(server);
  const address = server.address();
  if (typeof address !== "object" || !address) throw new Error("No port.");
  return address.port;
}

function makeCanary(): Server {
  return createServer((socket) => {
    canaryConnections += 1;
    socket.destroy();
  });
}

beforeAll(async () => {
  port = await listen(makeCanary(), "127.0.0.1", 0);
  await listen(makeCanary(), "::1", port);
  const honest = createHttpServer((request, response) => {
    if (request.url === "/redirect") response.writeHead(302, { location: `http://127.0.0.1:${String(port)}/` }).end();
    else response.end(`hello ${request.headers.host ?? ""}`);
  });
  await listen(honest, "127.0.0.2", port);
});

afterAll(() => {
  for (const server of servers) server.close();
  servers = [];
});

beforeEach(() => {
  canaryConnections = 0;
  privateHostsState.set(parsePrivateHosts([]));
});

afterEach(async () => {
  await closeUpstreams();
  privateHostsState.clear();
  resolverState.clear();
});

async function fetchFailure(url: string): Promise<UpstreamError> {
  const error: unknown = await fetchUpstream(url, { reach: "guarded" }).catch((thrown: unknown) => thrown);
  if (!(error instanceof UpstreamError)) throw new Error(`No UpstreamError for ${url}: ${String(error)}`);
  return error;
}

const literals = [
  "127.0.0.1",
  "0.0.0.0",
  "0",
  "[::1]",
  "[::]",
  "[::ffff:127.0.0.1]",
  "2130706433",
  "0x7f.1",
  "0177.0.0.1",
  "127.0.0.1.",
  "169.254.169.254",
  "[fd00:ec2::254]",
  "100.100.100.200",
  "10.0.0.1",
  "[64:ff9b::7f00:1]",
  "[2002:7f00:1::]",
  "127。0。0。1",
];

test.each(literals)("dials nothing for the address %s", async (host) => {
  for (const url of [`http://${host}:${String(port)}/`, `https://${host}:${String(port)}/`, `https://${host}/`]) {
    const error = await fetchFailure(url);
    expect(findFailure(error)?.kind, url).toBe("refused_by_guard");
    expect(error.fault).toBe("destination");
  }
  expect(canaryConnections).toBe(0);
});

test.each(["localhost", "localhost.", "metadata.google.internal", "api.localhost", "localtest.example"])(
  "dials nothing for the name %s, wherever it leads",
  async (host) => {
    for (const address of ["127.0.0.1", "::1", "::ffff:127.0.0.1", "169.254.169.254"]) {
      resolverState.set(() => Promise.resolve(["93.184.216.34", address]));
      for (const url of [`http://${host}:${String(port)}/`, `https://${host}:${String(port)}/`, `https://${host}/`]) {
        const error = await fetchFailure(url);
        expect(findFailure(error)?.kind, url).toBe("refused_by_guard");
        expect(error.message).not.toContain(address);
      }
    }
    expect(canaryConnections).toBe(0);
  },
);

test.each([
  "file:///etc/passwd",
  "gopher://127.0.0.1:6379/_x",
  "unix:/var/run/docker.sock",
  "ftp://example.com/",
  "no url",
])("calls nothing for %s", async (url) => {
  expect(findFailure(await fetchFailure(url))?.kind).toBe("invalid_request");
});

test("other ports of a public host are refused before anything is dialled", async () => {
  resolverState.set(() => Promise.resolve(["93.184.216.34"]));
  for (const other of [22, 2375, 5432, 6379]) {
    const error = await fetchFailure(`https://public.example:${String(other)}/`);
    expect(error.message).toContain("only port 443 is allowed");
  }
});

test("a name that was public when it was saved is refused once it leads to loopback", async () => {
  resolverState.set(() => Promise.resolve(["93.184.216.34"]));
  await checkGuardedUrl("https://rebind.example/");
  resolverState.set(() => Promise.resolve(["127.0.0.1"]));
  const error = await fetchFailure("https://rebind.example/");
  expect(error.message).toBe(
    "The destination rebind.example:443 is refused: it resolves to an address that is not public",
  );
  expect(canaryConnections).toBe(0);
});

test("the address is judged anew at each connection, and the judged one is dialled", async () => {
  privateHostsState.set(parsePrivateHosts([`127.0.0.2:${String(port)}`]));
  const answers = [["127.0.0.2"], ["127.0.0.1"], ["127.0.0.2", "127.0.0.1"]];
  resolverState.set(() => Promise.resolve(answers.shift() ?? []));
  const url = `http://rebind.example:${String(port)}/`;
  const first = await fetchUpstream(url, { reach: "guarded" });
  expect(await readText(first, 100)).toBe(`hello rebind.example:${String(port)}`);
  await closeUpstreams();
  expect(findFailure(await fetchFailure(url))?.kind).toBe("refused_by_guard");
  expect(findFailure(await fetchFailure(url))?.kind).toBe("refused_by_guard");
  expect(findFailure(await fetchFailure(url))).toEqual({ kind: "connect", code: "ENOTFOUND" });
  expect(canaryConnections).toBe(0);
});

test("an entry opens the one address and port that it names", async () => {
  privateHostsState.set(parsePrivateHosts([`127.0.0.2:${String(port)}`]));
  const opened = await fetchUpstream(`http://127.0.0.2:${String(port)}/`, { reach: "guarded" });
  expect(opened.status).toBe(200);
  await readText(opened, 100);
  for (const host of ["127.0.0.1", "[::1]", "[::ffff:127.0.0.2]"]) {
    expect(findFailure(await fetchFailure(`http://${host}:${String(port)}/`))?.kind).toBe("refused_by_guard");
  }
  expect(findFailure(await fetchFailure(`http://127.0.0.2:${String(port + 1)}/`))?.kind).toBe("refused_by_guard");
  expect(canaryConnections).toBe(0);
});

test("an entry for a host opens that host, wherever it leads, and no other", async () => {
  privateHostsState.set(parsePrivateHosts([`langfuse.internal:${String(port)}`]));
  resolverState.set(() => Promise.resolve(["127.0.0.2"]));
  const opened = await fetchUpstream(`http://langfuse.internal:${String(port)}/`, { reach: "guarded" });
  expect(await readText(opened, 100)).toBe(`hello langfuse.internal:${String(port)}`);
  for (const url of [
    `http://other.internal:${String(port)}/`,
    "http://langfuse.internal/",
    `http://127.0.0.2:${String(port)}/`,
  ]) {
    expect(findFailure(await fetchFailure(url))?.kind, url).toBe("refused_by_guard");
  }
});

test("a redirect to loopback is an answer and is not followed", async () => {
  privateHostsState.set(parsePrivateHosts([`127.0.0.2:${String(port)}`]));
  const answer = await fetchUpstream(`http://127.0.0.2:${String(port)}/redirect`, { reach: "guarded" });
  expect([answer.status, answer.headers["location"]]).toEqual([302, `http://127.0.0.1:${String(port)}/`]);
  await readText(answer, 100);
  expect(canaryConnections).toBe(0);
});

test("TLS asks for the name of the URL, at the address that was judged", async () => {
  const hello = Promise.withResolvers<string>();
  const tlsPort = await listen(
    createServer((socket) => {
      socket.once("data", (bytes) => {
        hello.resolve(bytes.toString("latin1"));
        socket.destroy();
      });
    }),
    "127.0.0.2",
    0,
  );
  privateHostsState.set(parsePrivateHosts([`sink.example:${String(tlsPort)}`]));
  resolverState.set(() => Promise.resolve(["127.0.0.2"]));
  const error = await fetchFailure(`https://sink.example:${String(tlsPort)}/`);
  expect(await hello.promise).toContain("sink.example");
  expect(findFailure(error)?.kind).toBe("connect");
});
