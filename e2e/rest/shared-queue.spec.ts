import { setTimeout as sleep } from "node:timers/promises";
import OpenAI from "openai";
import { startPostgres } from "../../scripts/postgres.mjs";
import { startFakeLangfuse } from "../fakes/langfuse.ts";
import { expect, fakeModelConfig, test } from "../fixtures.ts";
import type { SluiceProcess } from "../sluice-process.ts";
import { langfuseVars, makeKey, makeProject, mustAdmin, until } from "./admin.ts";

const project = makeProject("shared");
const keys = {
  SLUICE_MASTER_KEY: "sk-master-of-all-gateways",
  SLUICE_ENCRYPTION_KEY: "encryption-key-of-all-gateways",
};
type Fake = Awaited<ReturnType<typeof startFakeLangfuse>>;

/** No two calls of this file say the same. */
let callNumber = 0;

/** Clients that ask one gateway after the other until they are told to stop. Whatever was answered is noted. */
function startClients(gateways: readonly SluiceProcess[], apiKey: string, answered: Set<string>) {
  const stop = new AbortController();
  let asked = 0;
  const clients = Array.from({ length: 12 }, async () => {
    while (!stop.signal.aborted && asked < 20_000) {
      asked += 1;
      callNumber += 1;
      const content = `call number ${String(callNumber)}.`;
      const baseURL = `${gateways[asked % gateways.length]?.url ?? ""}/v1`;
      const client = new OpenAI({ apiKey, baseURL, maxRetries: 0, timeout: 30_000 });
      await client.chat.completions.create({ model: "fake-model", messages: [{ role: "user", content }] }).then(
        () => answered.add(content),
        // Not answered: nothing was promised.
        () => sleep(20),
      );
    }
  });
  return async () => {
    stop.abort();
    await Promise.all(clients);
  };
}

/** The ids under which each call arrived. */
function arrivals(langfuse: Fake): Map<string, Set<string>> {
  const ids = new Map<string, Set<string>>();
  for (const span of langfuse.project("shared").spans) {
    const content = /call number \d+\./.exec(JSON.stringify(span.input))?.[0] ?? "";
    ids.set(content, (ids.get(content) ?? new Set()).add(`${span.startTime} ${span.traceId} ${span.spanId}`));
  }
  return ids;
}

async function expectAllOnce(langfuse: Fake, answered: ReadonlySet<string>): Promise<void> {
  const missing = (): string[] => {
    const arrived = arrivals(langfuse);
    return [...answered].filter((content) => !arrived.has(content));
  };
  // What a dead gateway held is handed out again when its leases have ended.
  await until("nothing is missing", () => missing().length === 0, 180_000).catch(() => undefined);
  expect(missing()).toEqual([]);
  expect([...arrivals(langfuse).values()].filter((ids) => ids.size > 1)).toEqual([]);
}

test("@long three gateways share one PostgreSQL, one is killed and another joins: every answered call arrives, twice only with equal ids", async ({
  startSluice,
  fakes,
}) => {
  const postgres = await startPostgres();
  const langfuse = await startFakeLangfuse({ projects: [project] });
  langfuse.setBehaviour({ latencyMs: 30 });
  const config = {
    ...fakeModelConfig(fakes),
    general_settings: { delivery: { retry_max_seconds: 1 } },
  };
  const start = () => startSluice({ config, env: keys, databaseUrl: postgres.url });
  const first = await start();
  const [second, third] = await Promise.all([start(), start()]);
  const apiKey = await prepare(first, langfuse);
  const answered = new Set<string>();
  const stop = startClients([first, second, third], apiKey, answered);
  await until("some calls were answered", () => answered.size > 200, 60_000);
  await second.kill();
  const fourth = await start();
  const more = startClients([fourth], apiKey, new Set());
  await sleep(1_000);
  await stop();
  await more();
  expect(answered.size).toBeGreaterThan(200);
  await expectAllOnce(langfuse, answered);
  for (const gateway of [first, third, fourth]) expect(await gateway.stop()).toEqual({ code: 0, signal: null });
  await postgres.stop();
  await langfuse.close();
});

test("@long no answered call is lost in 20 rounds of kill -9 of PostgreSQL and of the gateway at random moments", async ({
  startSluice,
  fakes,
}) => {
  const postgres = await startPostgres();
  const langfuse = await startFakeLangfuse({ projects: [project] });
  const config = {
    ...fakeModelConfig(fakes),
    general_settings: { delivery: { retry_max_seconds: 1 } },
  };
  const gateway = await startSluice({ config, env: keys, databaseUrl: postgres.url });
  const apiKey = await prepare(gateway, langfuse);
  const answered = new Set<string>();
  let answeredWhileAway = 0;
  for (let round = 0; round < 20; round += 1) {
    langfuse.setBehaviour(round % 2 === 0 ? { latencyMs: 30 } : { status: 503 });
    const stop = startClients([gateway], apiKey, answered);
    await sleep(200 + Math.random() * 800);
    await postgres.crash();
    const before = answered.size;
    await sleep(300 + Math.random() * 700);
    answeredWhileAway += answered.size - before;
    // Half of the time the file has to outlive the gateway as well.
    if (round % 2 === 1) await gateway.kill();
    await stop();
    await postgres.start();
    if (round % 2 === 1) await gateway.restart();
  }
  langfuse.setBehaviour({});
  expect(answeredWhileAway).toBeGreaterThan(10);
  await expectAllOnce(langfuse, answered);
  expect(await gateway.stop()).toEqual({ code: 0, signal: null });
  await postgres.stop();
  await langfuse.close();
});

test("@long what a gateway left in its own file is delivered after it moved to the shared queue", async ({
  startSluice,
  fakes,
}) => {
  const postgres = await startPostgres();
  const langfuse = await startFakeLangfuse({ projects: [project] });
  langfuse.setBehaviour({ status: 503 });
  const config = {
    ...fakeModelConfig(fakes),
    general_settings: { delivery: { retry_max_seconds: 1 } },
  };
  const gateway = await startSluice({ config, env: { ...keys, SLUICE_QUEUE: "local" }, databaseUrl: postgres.url });
  const apiKey = await prepare(gateway, langfuse);
  const answered = new Set<string>();
  const stop = startClients([gateway], apiKey, answered);
  await until("some calls were answered", () => answered.size > 50, 60_000);
  await stop();
  await gateway.kill();
  await gateway.restart({ SLUICE_QUEUE: "database" });
  langfuse.setBehaviour({});
  await expectAllOnce(langfuse, answered);
  await gateway.stop();
  await postgres.stop();
  await langfuse.close();
});

/** A team with its Langfuse project, and a key of it. */
async function prepare(gateway: SluiceProcess, langfuse: Fake): Promise<string> {
  await mustAdmin(gateway, "/team/new", { team_id: "shared" });
  const callback = { callback_name: "langfuse", callback_vars: langfuseVars(langfuse.url, project) };
  await mustAdmin(gateway, "/team/shared/callback", callback);
  return makeKey(gateway, { team_id: "shared" });
}
