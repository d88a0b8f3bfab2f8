import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer, request as httpRequest } from "node:http";
import { createServer as createTcpServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { startPostgres } from "../../scripts/postgres.mjs";
import { startTcpProxy } from "#testing/tcp-proxy.ts";
import { isObject } from "../fakes/fake-server.ts";
import { expect, test } from "../fixtures.ts";
import { until } from "./admin.ts";
import { arrivals, chat, makeLoggedTeam, onceEach, openCall, openStreams, pricedConfig } from "./open-calls.ts";

/** A stop while something else is broken: it loses no call silently. */

const shortStop = { SLUICE_SHUTDOWN_SECONDS: "4" };
const hook = pathToFileURL(join(import.meta.dirname, "..", "own-faults.mjs")).href;

test.beforeEach(() => {
  test.setTimeout(180_000);
});

/** A switch for what is broken under a gateway, and the settings that connect it. */
function makeFaults() {
  const folder = mkdtempSync(join(tmpdir(), "sluice-faults-"));
  const file = join(folder, "faults.json");
  function set(faults: { isDiskFull?: boolean; throws?: boolean }): void {
    writeFileSync(`${file}.new`, JSON.stringify(faults));
    renameSync(`${file}.new`, file);
  }
  set({});
  const env = { NODE_OPTIONS: `--import ${hook}`, SLUICE_TEST_FAULTS: file, SLUICE_QUEUE: "local", ...shortStop };
  return { env, set, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

test("calls that a full queue does not take are counted in the log, and the exit code is 1", async ({
  startSluice,
  fakes,
}) => {
  const faults = makeFaults();
  const sluice = await startSluice({ config: pricedConfig(fakes), env: faults.env });
  const team = await makeLoggedTeam(sluice);
  const calls = Array.from({ length: 5 }, (_, index) => {
    // What does not compress does not fit into pages that are free already.
    const noise = randomBytes(150_000).toString("hex");
    return openCall(team, `lost-${String(index)}`, {
      body: chat(`[[hang-mid-stream]] alpha beta gamma ${noise}`, { stream: true }),
    });
  });
  await until("every stream has begun", () => calls.every((call) => call.soFar().includes("alpha")));
  faults.set({ isDiskFull: true });
  expect(await sluice.stop()).toEqual({ code: 1, signal: null });
  expect(sluice.logs()).toContain("stopped, and 5 calls could not be committed");
  await team.sink.close();
  faults.remove();
});

test("an error that nobody caught ends the process with 1 after every call was logged", async ({
  startSluice,
  fakes,
}) => {
  const faults = makeFaults();
  const sluice = await startSluice({ config: pricedConfig(fakes), env: faults.env });
  const team = await makeLoggedTeam(sluice);
  const streams = await openStreams(team, 5);
  faults.set({ throws: true });
  for (const { answer } of streams) expect((await answer).text).toContain("The gateway is stopping");
  await until("it has ended", () => sluice.ended() !== null, 60_000);
  expect(sluice.ended()).toEqual({ code: 1, signal: null });
  faults.set({});
  await sluice.restart();
  await until("all arrived", () => team.sink.records.length >= streams.length);
  expect(arrivals(team.sink)).toEqual(onceEach(streams));
  await team.sink.close();
  faults.remove();
});

test("a stream whose client reads nothing is cut and logged like any other", async ({ startSluice, fakes }) => {
  const chunk = {
    id: "c",
    object: "chat.completion.chunk",
    choices: [{ index: 0, delta: { content: "x".repeat(16_000) } }],
  };
  let isBlocked = false;
  const upstream = createServer((request, response) => {
    let blocked: NodeJS.Timeout | undefined;
    function fill(): void {
      clearTimeout(blocked);
      while (!response.destroyed && response.write(`data: ${JSON.stringify(chunk)}\n\n`));
      blocked = setTimeout(() => (isBlocked = true), 2_000);
    }
    request.resume();
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.on("drain", fill).on("error", () => undefined);
    fill();
  });
  upstream.listen(0, "127.0.0.1");
  await once(upstream, "listening");
  const address = upstream.address();
  const port = isObject(address) ? String(address.port) : "";
  const endless = { model: "openai/x", api_base: `http://127.0.0.1:${port}/v1`, api_key: "sk-u" };
  const config = pricedConfig(fakes, { model_list: [{ model_name: "endless", litellm_params: endless }] });
  const sluice = await startSluice({ config, env: shortStop });
  const team = await makeLoggedTeam(sluice);
  const headers = {
    authorization: `Bearer ${team.key}`,
    "content-type": "application/json",
    "x-litellm-call-id": "unread",
  };
  const client = httpRequest(`${sluice.url}/v1/chat/completions`, { method: "POST", headers });
  client.on("response", (response) => void response.pause()).on("error", () => undefined);
  client.end(JSON.stringify({ ...chat("endless", { stream: true }), model: "endless" }));
  await until("nothing is read any more", () => isBlocked, 60_000);
  expect(await sluice.stop()).toEqual({ code: 0, signal: null });
  client.destroy();
  await sluice.restart();
  await until("it arrived", () => team.sink.records.length > 0);
  expect(arrivals(team.sink)).toEqual({ unread: 1 });
  await team.sink.close();
  upstream.closeAllConnections();
  upstream.close();
});

for (const fault of ["cut", "hang"] as const) {
  test(`@long PostgreSQL that is away at the stop (${fault}) costs no call`, async ({ startSluice, fakes }) => {
    const postgres = await startPostgres();
    const way = await startTcpProxy({ host: "127.0.0.1", port: Number(new URL(postgres.url).port) });
    const url = new URL(postgres.url);
    url.port = String(way.port);
    const env = { SLUICE_SHUTDOWN_SECONDS: "8" };
    const sluice = await startSluice({ databaseUrl: url.href, config: pricedConfig(fakes), env });
    const team = await makeLoggedTeam(sluice);
    const streams = await openStreams(team, 10);
    way[fault]();
    expect(await sluice.stop()).toEqual({ code: 0, signal: null });
    way.mend();
    await sluice.restart();
    await until("all arrived", () => team.sink.records.length >= streams.length, 60_000);
    expect(arrivals(team.sink)).toEqual(onceEach(streams));
    await sluice.stop();
    way.close();
    await postgres.stop();
    await team.sink.close();
  });
}

test("a signal during the start ends the process with 0, also while its database is silent", async ({
  startSluice,
}) => {
  const sluice = await startSluice();
  await sluice.stop();
  const sockets: Socket[] = [];
  const silent = createTcpServer((socket) => void sockets.push(socket.on("error", () => undefined)));
  silent.listen(0, "127.0.0.1");
  await once(silent, "listening");
  const address = silent.address();
  const port = typeof address === "object" ? (address?.port ?? 0) : 0;
  const restarting = sluice.restart({ DATABASE_URL: `postgresql://u:p@127.0.0.1:${String(port)}/d` }).then(
    () => "it became ready",
    (error: unknown) => String(error),
  );
  await until("it asks its database", () => sockets.length > 0);
  sluice.signal("SIGTERM");
  expect(await restarting).toContain("The server ended with 0.");
  for (const socket of sockets) socket.destroy();
  silent.close();
});
