import { Redis } from "ioredis";
import { startFakeLangfuse } from "../fakes/langfuse.ts";
import { expect, fakeModelConfig, test, type Fakes } from "../fixtures.ts";
import { startRedis } from "../redis.ts";
import type { SluiceProcess } from "../sluice-process.ts";
import { langfuseVars, makeKey, makeProject, mustAdmin, until } from "./admin.ts";
import { ask, request, type Answer } from "./ask.ts";

function cachingConfig(fakes: Fakes, params: object = {}): Record<string, unknown> {
  return { ...fakeModelConfig(fakes), litellm_settings: { cache: true, cache_params: params } };
}

async function makeTeam(sluice: SluiceProcess, teamId: string, metadata: object = {}): Promise<string> {
  await mustAdmin(sluice, "/team/new", { team_id: teamId, metadata });
  return makeKey(sluice, { team_id: teamId });
}

const isHit = ({ status, headers }: Answer): boolean => status === 200 && headers.has("x-litellm-cache-key");

test("a team's answers are given again to it alone, byte for byte, streamed too; requests and teams can leave them out", async ({
  startSluice,
  fakes,
}) => {
  const sluice = await startSluice({ config: cachingConfig(fakes) });
  const [first, second] = [await makeTeam(sluice, "first"), await makeTeam(sluice, "second")];
  const colleague = await makeKey(sluice, { team_id: "first" });
  for (const stream of [false, true]) {
    const made = await ask(sluice, first, { content: "again", stream });
    expect(isHit(made)).toBe(false);
    const kept = await ask(sluice, colleague, { content: "again", stream, metadata: { other: "metadata" } });
    expect(isHit(kept)).toBe(true);
    expect(kept.text).toBe(made.text);
    expect(kept.headers.get("content-type")).toBe(made.headers.get("content-type"));
    expect(kept.headers.get("x-litellm-response-cost")).toBe("0");
    expect(isHit(await ask(sluice, second, { content: "again", stream }))).toBe(false);
    expect(isHit(await ask(sluice, first, { content: "again", stream, temperature: 0.5 }))).toBe(false);
  }
  const said = (cache: object) => ask(sluice, first, { content: "again", cache });
  expect(isHit(await said({ "no-cache": true }))).toBe(false);
  expect(isHit(await said({ "s-maxage": 0.001 }))).toBe(false);
  expect(isHit(await said({ namespace: "of its own" }))).toBe(false);
  expect(isHit(await said({}))).toBe(true);
  const unkept = { content: "unkept", cache: { "no-store": true } };
  expect([isHit(await ask(sluice, first, unkept)), isHit(await ask(sluice, first, unkept))]).toEqual([false, false]);
  const brief = { content: "brief", cache: { ttl: 0.05 } };
  await ask(sluice, first, brief);
  await until(
    "it is forgotten",
    async () => !isHit(await ask(sluice, first, { ...brief, cache: { "no-store": true } })),
  );
  const unlogged = { content: "unlogged", "no-log": true };
  expect([isHit(await ask(sluice, first, unlogged)), isHit(await ask(sluice, first, unlogged))]).toEqual([
    false,
    false,
  ]);
  const fresh = await makeTeam(sluice, "fresh", { cache: { "no-cache": true } });
  expect([isHit(await ask(sluice, fresh, unkept)), isHit(await ask(sluice, fresh, { content: "unkept" }))]).toEqual([
    false,
    false,
  ]);
  for (const prompt of ["[[error-500]]", "[[break-mid-stream]] a b c"]) {
    const broken = () => ask(sluice, first, { content: prompt, stream: true }).catch(() => null);
    for (const answer of [await broken(), await broken()]) expect(answer !== null && isHit(answer)).toBe(false);
  }
  const embed = () => request(sluice, "/v1/embeddings", { key: first, body: { model: "fake-model", input: "vector" } });
  expect([isHit(await embed()), isHit(await embed())]).toEqual([false, true]);
});

test("a hit is logged once as one, free, redacted as any call; a disabled team's calls leave and find nothing", async ({
  startSluice,
  fakes,
}) => {
  const project = makeProject("cache");
  const sink = await startFakeLangfuse({ projects: [project] });
  const sluice = await startSluice({ config: cachingConfig(fakes) });
  const key = await makeTeam(sluice, "logged");
  const callback = { callback_name: "langfuse", callback_vars: langfuseVars(sink.url, project) };
  await mustAdmin(sluice, "/team/logged/callback", callback);
  await ask(sluice, key, { content: "twice" });
  await ask(sluice, key, { content: "twice", stream: true });
  const hits = [
    await ask(sluice, key, { content: "twice" }),
    await ask(sluice, key, { content: "twice", stream: true }),
    await ask(sluice, key, { content: "twice", headers: { "x-litellm-enable-message-redaction": "true" } }),
  ];
  expect(hits.map(isHit)).toEqual([true, true, true]);
  expect(hits.every(({ receipt }) => receipt.startsWith("langfuse=queued"))).toBe(true);
  await until("all arrived", () => sink.project("cache").spans.length >= 5);
  const { spans } = sink.project("cache");
  expect(spans).toHaveLength(5);
  const logged = spans.filter(({ metadata }) => metadata.cache_hit === true);
  expect(logged).toHaveLength(3);
  expect(logged.filter(({ output }) => JSON.stringify(output).includes("Echo: twice"))).toHaveLength(2);
  expect(logged.filter(({ output }) => JSON.stringify(output).includes("redacted-by-litellm"))).toHaveLength(1);
  await mustAdmin(sluice, "/team/logged/disable_logging", {});
  expect(isHit(await ask(sluice, key, { content: "twice" }))).toBe(false);
  await sink.close();
});

test("a key with allowed_cache_controls sets those alone", async ({ sluice }) => {
  const key = await makeKey(sluice, { allowed_cache_controls: ["no-cache", "ttl"] });
  const refused = await ask(sluice, key, { content: "hi", cache: { "no-cache": true, "no-store": true } });
  expect(refused.status).toBe(403);
  expect(refused.text).toContain("Not allowed to set no-store as a cache control.");
  expect((await ask(sluice, key, { content: "hi", cache: { "no-cache": true, ttl: 5 } })).status).toBe(200);
  const free = await makeKey(sluice, {});
  expect((await ask(sluice, free, { content: "hi", cache: { "no-store": true } })).status).toBe(200);
});

test("two gateways share answers by Redis, where they are sealed, and go on without it @long", async ({
  startSluice,
  fakes,
}) => {
  test.setTimeout(120_000);
  const redis = await startRedis();
  const env = { REDIS_URL: redis.url, SLUICE_ENCRYPTION_KEY: "0123456789abcdef0123456789abcdef" };
  const config = cachingConfig(fakes, { type: "redis" });
  const gateways = [await startSluice({ config, env }), await startSluice({ config, env })];
  const key = "sk-shared-by-two-caches";
  for (const gateway of gateways) await makeKey(gateway, { key });
  const [first, second] = gateways;
  if (!first || !second) throw new Error("There are two.");
  const made = await ask(first, key, { content: "a sentence that nobody may read" });
  await until("the other one has it", async () =>
    isHit(await ask(second, key, { content: "a sentence that nobody may read", cache: { "no-store": true } })),
  );
  expect((await ask(second, key, { content: "a sentence that nobody may read" })).text).toBe(made.text);
  const inspector = new Redis(env.REDIS_URL);
  const names = await inspector.keys("sluice:cache:*");
  expect(names).not.toHaveLength(0);
  for (const name of names) {
    const stored = await inspector.getBuffer(name);
    expect(stored?.length).toBeGreaterThan(100);
    expect(stored?.toString("latin1")).not.toContain("nobody may read");
  }
  inspector.disconnect();
  await redis.stop();
  const alone = await ask(first, key, { content: "a sentence that nobody may read" });
  expect([alone.status, isHit(alone)]).toEqual([200, false]);
});
