import { expect, test } from "../fixtures.ts";
import { findFreePort, type SluiceProcess } from "../sluice-process.ts";
import { startFakeLangfuse, type FakeLangfuse } from "../fakes/langfuse.ts";
import { startFakeOpenai, type FakeOpenai } from "../fakes/openai.ts";
import { langfuseVars, makeKey, makeProject, mustAdmin, until } from "./admin.ts";

type Answer = { status: number; text: string; headers: Headers };

async function ask(
  sluice: SluiceProcess,
  key: string,
  {
    content = "hi",
    headers = {},
    ...fields
  }: Record<string, unknown> & { content?: string; headers?: Record<string, string> },
): Promise<Answer> {
  const response = await fetch(`${sluice.url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json", ...headers },
    body: JSON.stringify({ model: "group", messages: [{ role: "user", content }], ...fields }),
  });
  return { status: response.status, text: await response.text(), headers: response.headers };
}

function deployment(name: string, apiBase: string, more: object = {}): object {
  return { model_name: name, litellm_params: { model: "openai/m", api_base: apiBase, api_key: "sk-x", ...more } };
}

async function makeLoggedKey(sluice: SluiceProcess, sink: FakeLangfuse, id: string): Promise<string> {
  const project = makeProject(id);
  sink.addProject(project);
  await mustAdmin(sluice, "/team/new", { team_id: id });
  const vars = langfuseVars(sink.url, project);
  await mustAdmin(sluice, `/team/${id}/callback`, { callback_name: "langfuse", callback_vars: vars });
  return makeKey(sluice, { team_id: id });
}

/** What the log says of each call's attempts, once `count` calls have arrived. */
async function loggedAttempts(sink: FakeLangfuse, id: string, count: number): Promise<unknown[]> {
  await until("every call was logged", () => sink.project(id).spans.length >= count);
  return sink.project(id).spans.map(({ metadata, level }) => {
    const attempts = Array.isArray(metadata.attempts) ? metadata.attempts : [];
    return { level, attempts: attempts.length, group: metadata.model_group };
  });
}

test("a call goes to another deployment where one is down, which then rests, and is one log with its attempts", async ({
  startSluice,
}) => {
  const [sink, up] = await Promise.all([startFakeLangfuse(), startFakeOpenai()]);
  const down = `http://127.0.0.1:${String(await findFreePort())}/v1`;
  const config = {
    model_list: [deployment("group", down), deployment("group", up.baseUrl)],
    router_settings: { allowed_fails: 0, cooldown_time: 60 },
  };
  const sluice = await startSluice({ config });
  const key = await makeLoggedKey(sluice, sink, "failing");
  const answers: Answer[] = [];
  for (let call = 0; call < 12; call += 1) answers.push(await ask(sluice, key, { stream: call % 2 === 0 }));
  expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 12 }, () => 200));
  const retried = answers.filter(({ headers }) => headers.get("x-litellm-attempted-retries") === "1");
  expect(retried.length).toBeLessThanOrEqual(1);
  const logged = await loggedAttempts(sink, "failing", 12);
  expect(logged).toHaveLength(12);
  expect(logged.filter((entry) => JSON.stringify(entry).includes('"attempts":1'))).toHaveLength(retried.length);
  await Promise.all([sink.close(), up.close()]);
});

test("weights, the least busy deployment and a deployment's own limits decide who answers", async ({ startSluice }) => {
  test.setTimeout(150_000);
  const [first, second] = await Promise.all([startFakeOpenai({ slowMs: 400 }), startFakeOpenai({ slowMs: 400 })]);
  const both = (name: string, more: [object, object]): object[] =>
    [first, second].map((fake, index) => deployment(name, fake.baseUrl, more[index]));
  const countOf = (fake: FakeOpenai): number => fake.calls.splice(0).length;
  const shuffled = await startSluice({
    config: {
      model_list: [...both("group", [{ weight: 1 }, { weight: 0 }]), ...both("few", [{ rpm: 2 }, { rpm: 3 }])],
    },
  });
  for (let call = 0; call < 10; call += 1) await ask(shuffled, shuffled.masterKey, {});
  expect([countOf(first), countOf(second)]).toEqual([10, 0]);
  const answers: Answer[] = [];
  for (let call = 0; call < 7; call += 1) answers.push(await ask(shuffled, shuffled.masterKey, { model: "few" }));
  // A minute may end between two of the calls.
  const refused = answers.filter(({ status }) => status === 429);
  expect(answers.filter(({ status }) => status === 200).length).toBe(7 - refused.length);
  expect(refused.length).toBeLessThanOrEqual(2);
  expect(refused.every(({ text }) => text.includes("No deployments available"))).toBe(true);
  expect([countOf(first), countOf(second)].every((count) => count >= 2)).toBe(true);
  const leastBusy = await startSluice({
    config: { model_list: both("group", [{}, {}]), router_settings: { routing_strategy: "least-busy" } },
  });
  await Promise.all(Array.from({ length: 10 }, () => ask(leastBusy, leastBusy.masterKey, { content: "[[slow]]" })));
  expect([countOf(first), countOf(second)]).toEqual([5, 5]);
  await Promise.all([first.close(), second.close()]);
});

test("models stand in for one that fails or whose context is too short, for nothing else, and one log says so", async ({
  startSluice,
}) => {
  const [sink, up] = await Promise.all([startFakeLangfuse(), startFakeOpenai()]);
  const down = `http://127.0.0.1:${String(await findFreePort())}/v1`;
  const sluice = await startSluice({
    config: {
      model_list: [
        deployment("group", down),
        deployment("short", up.baseUrl, { model: "openai/error-context" }),
        deployment("strict", up.baseUrl, { model: "openai/error-400-echo" }),
        deployment("other", up.baseUrl),
        deployment("long", up.baseUrl),
      ],
      router_settings: {
        fallbacks: [{ group: ["nothing", "other"] }, { strict: ["other"] }, { short: ["other"] }],
        context_window_fallbacks: [{ short: ["long"] }],
      },
    },
  });
  const key = await makeLoggedKey(sluice, sink, "standing-in");
  for (const stream of [false, true]) {
    const answer = await ask(sluice, key, { stream });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("x-litellm-attempted-fallbacks")).toBe("1");
  }
  expect((await ask(sluice, key, { model: "short" })).status).toBe(200);
  expect((await ask(sluice, key, { model: "strict" })).status).toBe(400);
  const named = await ask(sluice, key, { model: "strict", fallbacks: ["long"] });
  expect(named.status).toBe(400);
  expect((await ask(sluice, key, { disable_fallbacks: true })).status).toBe(500);
  const logged = await loggedAttempts(sink, "standing-in", 6);
  expect(logged.map((entry) => JSON.stringify(entry)).toSorted()).toEqual(
    [
      { level: "DEFAULT", attempts: 1, group: "group" },
      { level: "DEFAULT", attempts: 1, group: "group" },
      { level: "DEFAULT", attempts: 1, group: "short" },
      { level: "ERROR", attempts: 0, group: "group" },
      { level: "ERROR", attempts: 0, group: "strict" },
      { level: "ERROR", attempts: 0, group: "strict" },
    ]
      .map((entry) => JSON.stringify(entry))
      .toSorted(),
  );
  await Promise.all([sink.close(), up.close()]);
});

test("attempts are made again where somebody asked for it, and timeouts end them; each call is one log", async ({
  startSluice,
}) => {
  const [sink, up] = await Promise.all([startFakeLangfuse(), startFakeOpenai()]);
  const sluice = await startSluice({
    config: { model_list: [deployment("group", up.baseUrl), deployment("hasty", up.baseUrl, { timeout: 0.5 })] },
  });
  const key = await makeLoggedKey(sluice, sink, "again");
  const twice = { "x-litellm-num-retries": "2" };
  const again = await ask(sluice, key, { content: "[[flaky]] a", headers: twice });
  expect(again.status).toBe(200);
  expect(again.headers.get("x-litellm-attempted-retries")).toBe("1");
  expect((await ask(sluice, key, { content: "[[flaky]] b" })).status).toBe(500);
  expect((await ask(sluice, key, { content: "[[error-400-echo]]", headers: twice })).status).toBe(400);
  expect((await ask(sluice, key, { model: "hasty", content: "[[hang]]" })).status).toBe(408);
  expect((await ask(sluice, key, { model: "hasty", content: "[[hang]]", stream: true })).status).toBe(408);
  const mine = await ask(sluice, key, { content: "[[hang]]", headers: { "x-litellm-timeout": "0.5" } });
  expect(mine.status).toBe(408);
  const logged = await loggedAttempts(sink, "again", 6);
  expect(logged).toHaveLength(6);
  expect(logged.filter((entry) => JSON.stringify(entry).includes('"attempts":1'))).toHaveLength(1);
  await Promise.all([sink.close(), up.close()]);
});

test("wildcards and aliases lead to a deployment, names go before them, and a key's list holds for both", async ({
  startSluice,
}) => {
  const up = await startFakeOpenai();
  const sluice = await startSluice({
    config: {
      model_list: [
        deployment("exact", up.baseUrl),
        deployment("lab/*", up.baseUrl, { model: "openai/lab-*" }),
        deployment("*", up.baseUrl, { model: "openai/*" }),
      ],
      router_settings: { model_group_alias: { short: "exact" } },
    },
  });
  const reached = async (model: string): Promise<unknown> => {
    up.calls.length = 0;
    const { status } = await ask(sluice, sluice.masterKey, { model });
    const body = up.calls[0]?.body;
    return { status, sent: typeof body === "object" && body !== null && "model" in body ? body.model : null };
  };
  expect(await reached("exact")).toEqual({ status: 200, sent: "m" });
  expect(await reached("short")).toEqual({ status: 200, sent: "m" });
  expect(await reached("lab/one")).toEqual({ status: 200, sent: "lab-one" });
  expect(await reached("gpt-9")).toEqual({ status: 200, sent: "gpt-9" });
  expect(await reached("openai/gpt-9")).toEqual({ status: 200, sent: "gpt-9" });
  const key = await makeKey(sluice, { models: ["lab/*"] });
  expect((await ask(sluice, key, { model: "lab/two" })).status).toBe(200);
  expect((await ask(sluice, key, { model: "gpt-9" })).status).toBe(403);
  await up.close();
});
