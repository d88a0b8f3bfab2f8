import { once } from "node:events";
import { createServer, IncomingMessage, request, ServerResponse } from "node:http";
import { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, test, vi } from "vitest";
import { sendPieces } from "#http/send-pieces.ts";
import type { PieceSink } from "#lib/piecewise-response.ts";

const servers: ReturnType<typeof createServer>[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});

type Served = { answer: IncomingMessage; leave: ReturnType<typeof vi.fn<() => Promise<void>>> };

/** Asks a server whose answers are pumped by `pump`. */
async function serve(pump: (sink: PieceSink) => Promise<void>): Promise<Served> {
  const leave = vi.fn(async () => undefined);
  const server = createServer((_request, response) => {
    sendPieces({ body: { pump, leave }, headers: { "content-type": "text/event-stream" } }, response);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The server has no port.");
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    request({ host: "127.0.0.1", port: address.port, agent: false }, resolve).on("error", reject).end();
  });
  return { answer, leave };
}

async function readAll(answer: IncomingMessage): Promise<string> {
  let text = "";
  for await (const piece of answer) text += String(piece);
  return text;
}

test("pieces arrive as they come, after the headers, and a whole answer is left by nobody", async () => {
  const more = Promise.withResolvers<undefined>();
  const { answer, leave } = await serve(async (sink) => {
    sink.write(Buffer.from("one "));
    await more.promise;
    sink.write(Buffer.from("two"));
    sink.end();
  });
  expect(answer.statusCode).toBe(200);
  expect(answer.headers["content-type"]).toBe("text/event-stream");
  expect(String(await once(answer, "data"))).toBe("one ");
  more.resolve(undefined);
  expect(await readAll(answer)).toBe("two");
  await sleep(20);
  expect(leave).not.toHaveBeenCalled();
});

test("a client that reads slowly is waited for, and gets all of it", async () => {
  const piece = Buffer.alloc(256 * 1024, "x");
  const total = 200;
  let written = 0;
  const { answer } = await serve(async (sink) => {
    for (; written < total; written += 1) if (!sink.write(piece)) await sink.drained();
    sink.end();
  });
  await sleep(200);
  expect(written).toBeLessThan(total);
  expect((await readAll(answer)).length).toBe(total * piece.length);
});

test("the body is told of a client that leaves, also while it waits for room", async () => {
  const { answer, leave } = await serve(async (sink) => {
    while (sink.write(Buffer.alloc(1024 * 1024)));
    await sink.drained();
  });
  answer.destroy();
  await vi.waitFor(() => {
    expect(leave).toHaveBeenCalledOnce();
  });
});

test("the headers leave at once where the first piece is not there yet", async () => {
  const first = Promise.withResolvers<undefined>();
  const { answer } = await serve(async (sink) => {
    await first.promise;
    sink.write(Buffer.from("late"));
    sink.end();
  });
  expect(answer.statusCode).toBe(200);
  first.resolve(undefined);
  expect(await readAll(answer)).toBe("late");
});

test("a body whose headers cannot be sent is left, and the error is told", () => {
  const pump = vi.fn(async () => undefined);
  const leave = vi.fn(async () => undefined);
  const response = new ServerResponse(new IncomingMessage(new Socket()));
  expect(() => {
    sendPieces({ body: { pump, leave }, headers: { "x-name": "модель" } }, response);
  }).toThrow("Invalid character");
  expect(leave).toHaveBeenCalledOnce();
  expect(pump).not.toHaveBeenCalled();
});

test.each([
  ["says so", async (sink: PieceSink) => sink.breakOff(new Error("the upstream is gone"))],
  ["fails", () => Promise.reject(new Error("a bug"))],
])("the connection breaks where a body %s after its first piece", async (_name, end) => {
  const { answer } = await serve(async (sink) => {
    sink.write(Buffer.from("half of it"));
    await sleep(20);
    await end(sink);
  });
  await expect(readAll(answer)).rejects.toThrow("aborted");
});

test("a client that left before the answer began is told of at once, and nothing is pumped", () => {
  const pump = vi.fn(async () => undefined);
  const leave = vi.fn(async () => undefined);
  const response = new ServerResponse(new IncomingMessage(new Socket())).destroy();
  sendPieces({ body: { pump, leave }, headers: {} }, response);
  expect(leave).toHaveBeenCalledOnce();
  expect(pump).not.toHaveBeenCalled();
});
