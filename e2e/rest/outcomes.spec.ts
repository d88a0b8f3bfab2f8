import { setTimeout as sleep } from "node:timers/promises";
import { startFakeAnthropic, type FakeAnthropic } from "../fakes/anthropic.ts";
import { isObject } from "../fakes/fake-server.ts";
import { startFakeLangfuse } from "../fakes/langfuse.ts";
import { expect, fakeModelConfig, test, type Fakes } from "../fixtures.ts";
import { findFreePort, type SluiceProcess } from "../sluice-process.ts";
import { langfuseVars, makeKey, makeProject, mustAdmin, until } from "./admin.ts";
import { request } from "./ask.ts";

/** A call of one path: what it sends to be asked `prompt`, as JSON or as a form with a file. */
type PathCase = { callType: string; body(prompt: string): object; file?: "image" | "file"; isAnthropic?: true };

const user = (content: string): object[] => [{ role: "user", content }];
const rerank: PathCase = { callType: "arerank", body: (query) => ({ query, documents: ["one"] }) };
const audio = (callType: string): PathCase => ({ callType, body: (prompt) => ({ prompt }), file: "file" });

/** Every path that calls a model, without its aliases. */
const pathCases: Record<string, PathCase> = {
  "/v1/chat/completions": { callType: "acompletion", body: (prompt) => ({ messages: user(prompt) }) },
  "/v1/completions": { callType: "atext_completion", body: (prompt) => ({ prompt }) },
  "/v1/embeddings": { callType: "aembedding", body: (input) => ({ input }) },
  "/v1/responses": { callType: "aresponses", body: (input) => ({ input }) },
  "/v1/messages": {
    callType: "anthropic_messages",
    body: (prompt) => ({ max_tokens: 9, messages: user(prompt) }),
    isAnthropic: true,
  },
  "/v1/moderations": { callType: "amoderation", body: (input) => ({ input }) },
  "/v1/images/generations": { callType: "aimage_generation", body: (prompt) => ({ prompt }) },
  "/v1/images/edits": { callType: "aimage_edit", body: (prompt) => ({ prompt }), file: "image" },
  "/v1/audio/speech": { callType: "aspeech", body: (input) => ({ input, voice: "alloy" }) },
  "/v1/audio/transcriptions": audio("atranscription"),
  "/v1/audio/translations": audio("atranslation"),
  "/v1/rerank": rerank,
  "/v2/rerank": rerank,
};

/** One way for a call to end. `status` 0: the client does not wait for it. */
type OutcomeCase = {
  prompt?: string;
  model?: "falling" | "no-such";
  headers?: Record<string, string>;
  key?: "no requests" | "no budget" | "other models";
  /** The body is neither JSON nor a form. */
  isBroken?: true;
  status: number;
  level: "DEFAULT" | "ERROR";
};

const outcomeCases: Record<string, OutcomeCase> = {
  answered: { prompt: "plain", status: 200, level: "DEFAULT" },
  "refused by the upstream": { prompt: "[[error-400-echo]] plain", status: 400, level: "ERROR" },
  "failed upstream": { prompt: "[[error-500]]", status: 500, level: "ERROR" },
  "timed out": { prompt: "[[hang]]", headers: { "x-litellm-timeout": "0.3" }, status: 408, level: "ERROR" },
  "left by its client": { prompt: "[[hang]]", status: 0, level: "DEFAULT" },
  "answered by a stand-in": { model: "falling", status: 200, level: "DEFAULT" },
  "over its requests": { key: "no requests", status: 429, level: "ERROR" },
  "over its budget": { key: "no budget", status: 429, level: "ERROR" },
  "for no model": { model: "no-such", status: 400, level: "ERROR" },
  "for a model of others": { key: "other models", status: 403, level: "ERROR" },
  "not understood": { isBroken: true, status: 400, level: "ERROR" },
};

async function makeConfig(fakes: Fakes, anthropic: FakeAnthropic): Promise<Record<string, unknown>> {
  const down = `http://127.0.0.1:${String(await findFreePort())}`;
  const claude = { model: "anthropic/claude-fake", api_key: "sk-ant-fake" };
  const fake = { model: "openai/fake-model", api_key: "sk-fake-upstream" };
  return {
    ...fakeModelConfig(fakes, [
      { model_name: "fake-claude", litellm_params: { ...claude, api_base: anthropic.url } },
      { model_name: "falling-claude", litellm_params: { ...claude, api_base: down } },
      { model_name: "falling-model", litellm_params: { ...fake, api_base: `${down}/v1` } },
    ]),
    router_settings: { fallbacks: [{ "falling-model": ["fake-model"] }, { "falling-claude": ["fake-claude"] }] },
  };
}

/** The body and the content type of a call. */
function toRequest(call: PathCase, model: string, prompt: string): { body: string | FormData; type: object } {
  const fields: Record<string, unknown> = { model, ...call.body(prompt) };
  if (call.file === undefined) return { body: JSON.stringify(fields), type: { "content-type": "application/json" } };
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, String(value));
  form.append(call.file, new Blob(["bytes"]), `${call.file}.bin`);
  return { body: form, type: {} };
}

/** Makes one call, and tells its status; 0 where the client left. */
async function makeCall(
  sluice: SluiceProcess,
  key: string,
  { path, outcome, id }: { path: string; outcome: OutcomeCase; id: string },
): Promise<number> {
  const call = pathCases[path];
  if (!call) throw new Error(`There is no case for ${path}.`);
  const model = `${outcome.model ?? "fake"}-${call.isAnthropic ? "claude" : "model"}`;
  // Anthropic's fake has its own server error.
  const prompt = (outcome.prompt ?? "plain").replace("error-500", call.isAnthropic ? "error-529" : "error-500");
  const { body, type } = outcome.isBroken ? { body: "{", type: {} } : toRequest(call, model, prompt);
  const leaving = new AbortController();
  const headers = {
    authorization: `Bearer ${key}`,
    ...type,
    "x-litellm-call-id": id,
    "x-litellm-tags": "of-the-header",
    "x-litellm-session-id": "one-session",
    langfuse_trace_user_id: "one-end-user",
    ...outcome.headers,
  };
  const asked = fetch(`${sluice.url}${path}`, { method: "POST", headers, body, signal: leaving.signal });
  if (outcome.status === 0) {
    await sleep(700);
    leaving.abort();
    return asked.then(
      ({ status }) => status,
      () => 0,
    );
  }
  const answer = await asked;
  await answer.arrayBuffer();
  return answer.status === 529 ? 500 : answer.status;
}

/** True for a path that the interface's description counts among the calls of models. */
function isCall(described: unknown): boolean {
  const post = isObject(described) ? described.post : null;
  return isObject(post) && JSON.stringify(post.tags) === '["Calls"]';
}

test("every path logs each outcome of a call once, with the same attribution; a client that leaves ends the upstream's work", async ({
  startSluice,
  fakes,
}) => {
  test.setTimeout(120_000);
  const project = makeProject("outcomes");
  const [sink, anthropic] = await Promise.all([startFakeLangfuse({ projects: [project] }), startFakeAnthropic()]);
  const sluice = await startSluice({ config: await makeConfig(fakes, anthropic) });
  const { paths } = (await request(sluice, "/openapi.json")).body;
  const callPaths = Object.entries(isObject(paths) ? paths : {}).flatMap(([path, described]) =>
    /^\/v\d\//.test(path) && isCall(described) ? [path] : [],
  );
  expect(callPaths.toSorted(), "a path without a case").toEqual(Object.keys(pathCases).toSorted());

  await mustAdmin(sluice, "/team/new", { team_id: "outcomes", team_alias: "All of them" });
  const callback = { callback_name: "langfuse", callback_vars: langfuseVars(sink.url, project) };
  await mustAdmin(sluice, "/team/outcomes/callback", callback);
  const teamKey = (fields: object): Promise<string> =>
    makeKey(sluice, { team_id: "outcomes", user_id: "one-user", metadata: { tags: ["of-the-key"] }, ...fields });
  const keys = {
    plain: await teamKey({ key_alias: "plain" }),
    "no requests": await teamKey({ key_alias: "no requests", rpm_limit: 0 }),
    "no budget": await teamKey({ key_alias: "no budget", max_budget: 0 }),
    "other models": await teamKey({ key_alias: "other models", models: ["something-else"] }),
  };

  const calls = Object.entries(outcomeCases).flatMap(([name, outcome]) =>
    callPaths.map((path) => ({ name, path, outcome, id: `${name} ${path}`.replaceAll(" ", "_") })),
  );
  fakes.openai.calls.length = 0;
  // Those that take their time are under way together, a dozen at once.
  for (let start = 0; start < calls.length; start += callPaths.length) {
    const batch = calls.slice(start, start + callPaths.length);
    const statuses = await Promise.all(batch.map((call) => makeCall(sluice, keys[call.outcome.key ?? "plain"], call)));
    expect(Object.fromEntries(batch.map(({ id }, index) => [id, statuses[index]]))).toEqual(
      Object.fromEntries(batch.map(({ id, outcome }) => [id, outcome.status])),
    );
  }

  const arrived = () => sink.project("outcomes").spans.length;
  await until("all arrived", () => arrived() >= calls.length);
  const byId = Map.groupBy(sink.project("outcomes").spans, ({ metadata }) => String(metadata.litellm_call_id));
  for (const { id, name, path, outcome } of calls) {
    const own = byId.get(id) ?? [];
    expect.soft(own, id).toHaveLength(1);
    const [span] = own;
    if (!span) continue;
    const alias = outcome.key ?? "plain";
    expect.soft({ ...span, tags: span.tags.filter((tag) => !tag.startsWith("User-Agent")) }, id).toMatchObject({
      receivedCount: 1,
      level: outcome.level,
      traceName: `litellm-${pathCases[path]?.callType ?? ""}`,
      sessionId: "one-session",
      userId: "one-end-user",
      tags: ["of-the-header", "of-the-key"],
      metadata: {
        user_api_key_alias: alias,
        user_api_key_team_id: "outcomes",
        user_api_key_team_alias: "All of them",
        user_api_key_user_id: "one-user",
        user_api_key_request_route: path,
      },
    });
    expect.soft(span.metadata.client_disconnected ?? false, id).toBe(name === "left by its client");
    const attempts = Array.isArray(span.metadata.attempts) ? span.metadata.attempts : [];
    expect.soft(attempts, id).toHaveLength(name === "answered by a stand-in" ? 1 : 0);
  }
  expect(sink.project("outcomes").spans).toHaveLength(calls.length);
  const hung = [...fakes.openai.calls, ...anthropic.calls].filter(({ body }) =>
    JSON.stringify(body).includes("[[hang]]"),
  );
  expect(hung).toHaveLength(2 * callPaths.length);
  expect(hung.every(({ aborted }) => aborted)).toBe(true);
  await Promise.all([sink.close(), anthropic.close()]);
});
