import { expect, fakeModelConfig, test } from "../fixtures.ts";
import { startFakeLangfuse } from "../fakes/langfuse.ts";
import { startRedis } from "../redis.ts";
import type { SluiceProcess } from "../sluice-process.ts";
import { langfuseVars, makeKey, makeProject, mustAdmin, until } from "./admin.ts";

type Answer = { status: number; text: string; headers: Headers };

async function ask(
  sluice: SluiceProcess,
  key: string,
  { content = "hi", ...fields }: { content?: string; model?: string; stream?: boolean } = {},
): Promise<Answer> {
  const response = await fetch(`${sluice.url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ model: "fake-model", messages: [{ role: "user", content }], ...fields }),
  });
  return { status: response.status, text: await response.text(), headers: response.headers };
}

/** How many answers had which status. */
async function countOf(answers: Promise<Answer[]>): Promise<Record<number, number>> {
  const counts: Record<number, number> = {};
  for (const { status } of await answers) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

test("under 200 calls at once a limit of N lets exactly N through, of a key, a team and a user", async ({ sluice }) => {
  test.setTimeout(120_000);
  await mustAdmin(sluice, "/team/new", { team_id: "limited-team", rpm_limit: 9 });
  await mustAdmin(sluice, "/user/new", { user_id: "limited-user", rpm_limit: 5, auto_create_key: false });
  const cases = [
    [await makeKey(sluice, { rpm_limit: 7 }), 7],
    [await makeKey(sluice, { team_id: "limited-team" }), 9],
    [await makeKey(sluice, { user_id: "limited-user" }), 5],
    [await makeKey(sluice, { model_rpm_limit: { "fake-model": 3 } }), 3],
  ] as const;
  for (const [key, limit] of cases) {
    const counts = await countOf(Promise.all(Array.from({ length: 200 }, () => ask(sluice, key))));
    expect(counts).toEqual({ 200: limit, 429: 200 - limit });
  }
});

test("an alias of the key counts against the limits of the model behind it", async ({ sluice }) => {
  const aliases = { shortcut: "fake-model" };
  const limited = { aliases, model_rpm_limit: { "fake-model": 3 } };
  const key = await makeKey(sluice, limited);
  const models = Array.from({ length: 12 }, (_, i) => (i % 2 === 0 ? "shortcut" : "fake-model"));
  const counts = await countOf(Promise.all(models.map((model) => ask(sluice, key, { model }))));
  expect(counts).toEqual({ 200: 3, 429: 9 });
});

test("as many calls at once as are allowed, and a place is free again however a call ends", async ({ sluice }) => {
  const key = await makeKey(sluice, { max_parallel_requests: 4 });
  const slow = (): Promise<Answer[]> =>
    Promise.all(Array.from({ length: 20 }, () => ask(sluice, key, { content: "[[slow]] a b" })));
  expect(await countOf(slow())).toEqual({ 200: 4, 429: 16 });
  for (const content of ["[[error-500]]", "[[break-mid-stream]] a b c", "[[error-400-echo]]"]) {
    await ask(sluice, key, { content, stream: true });
  }
  expect((await ask(sluice, key, { model: "no-such-model" })).status).toBe(400);
  const controller = new AbortController();
  const left = await fetch(`${sluice.url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({
      model: "fake-model",
      stream: true,
      messages: [{ role: "user", content: "[[hang-mid-stream]] a b c d" }],
    }),
    signal: controller.signal,
  });
  await left.body?.getReader().read();
  controller.abort();
  await until("the place was free", async () => {
    const counts = await countOf(slow());
    return counts[200] === 4;
  });
});

test("tokens are counted when a call is over, and what is refused is logged once, with its reason", async ({
  sluice,
}) => {
  const project = makeProject("limits");
  const sink = await startFakeLangfuse({ projects: [project] });
  await mustAdmin(sluice, "/team/new", { team_id: "tokens" });
  const vars = langfuseVars(sink.url, project);
  await mustAdmin(sluice, "/team/tokens/callback", { callback_name: "langfuse", callback_vars: vars });
  const made = await fetch(`${sluice.url}/key/generate`, {
    method: "POST",
    headers: { authorization: `Bearer ${sluice.masterKey}`, "content-type": "application/json" },
    body: JSON.stringify({ team_id: "tokens", tpm_limit: 10 }),
  });
  expect(made.headers.get("x-sluice-warning")).toBeNull();
  const body: unknown = await made.json();
  const key = typeof body === "object" && body !== null && "key" in body ? String(body.key) : "";
  expect((await ask(sluice, key, { content: "some words that are more than ten tokens" })).status).toBe(200);
  const refused = await ask(sluice, key);
  expect(refused.status).toBe(429);
  expect(refused.text).toMatch(
    /Rate limit exceeded for api_key: .*Limit type: tokens\. Current limit: 10, Remaining: 0/,
  );
  expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
  await until("both arrived", () => sink.project("limits").spans.length >= 2);
  expect(
    sink
      .project("limits")
      .spans.map(({ level }) => level)
      .toSorted(),
  ).toEqual(["DEFAULT", "ERROR"]);
  await sink.close();
});

test("answers say what is left of the key's limits; soft budgets are told, and those of one model hold for it alone", async ({
  sluice,
}) => {
  const fields = { max_budget: 5, soft_budget: 0, rpm_limit: 50, tpm_limit: 1_000 };
  const key = await makeKey(sluice, { ...fields, model_max_budget: { "no-such-model": { max_budget: 0 } } });
  for (const stream of [false, true]) {
    const { status, headers } = await ask(sluice, key, { stream });
    expect(status).toBe(200);
    expect(Object.fromEntries([...headers].filter(([name]) => /^x-(litellm-key|sluice-soft)/.test(name)))).toEqual({
      "x-litellm-key-spend": "0",
      "x-litellm-key-max-budget": "5",
      "x-litellm-key-rpm-limit": "50",
      "x-litellm-key-tpm-limit": "1000",
      "x-litellm-key-remaining-requests-fake-model": stream ? "48" : "49",
      "x-litellm-key-remaining-tokens-fake-model": expect.stringMatching(/^\d+$/),
      "x-sluice-soft-budget-exceeded": "key",
    });
    expect(Number(headers.get("x-litellm-overhead-duration-ms"))).toBeGreaterThan(0);
  }
  const bound = await makeKey(sluice, { model_max_budget: { "fake-model": { max_budget: 0 } } });
  const refused = await ask(sluice, bound);
  expect(refused.status).toBe(429);
  expect(refused.text).toContain("Budget has been exceeded! for model=fake-model");
  expect(refused.headers.get("x-litellm-key-spend")).toBe("0");
});

test("two gateways on one Redis let exactly N calls of a key through together, and go on alone without it @long", async ({
  startSluice,
  fakes,
}) => {
  test.setTimeout(180_000);
  const redis = await startRedis();
  const env = { REDIS_URL: redis.url };
  const first = await startSluice({ config: fakeModelConfig(fakes), env });
  const second = await startSluice({ config: fakeModelConfig(fakes), env });
  const keys = await Promise.all(
    [first, second].map((sluice) => makeKey(sluice, { key: "sk-shared-between-two-gateways", rpm_limit: 11 })),
  );
  const both = Array.from({ length: 200 }, (_, index) => ask(index % 2 === 0 ? first : second, keys[index % 2] ?? ""));
  expect(await countOf(Promise.all(both))).toEqual({ 200: 11, 429: 189 });
  await redis.stop();
  expect((await ask(first, keys[0] ?? "")).status).toBe(200);
  const headers = { authorization: `Bearer ${first.masterKey}` };
  const metrics = await (await fetch(`${first.url}/metrics`, { headers })).text();
  expect(metrics).toContain("sluice_limits_are_local 1");
});
