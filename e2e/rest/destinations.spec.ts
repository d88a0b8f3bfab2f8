import { setTimeout as sleep } from "node:timers/promises";
import { expect, fakeModelConfig, test } from "../fixtures.ts";
import { startFakeDatadog } from "../fakes/datadog.ts";
import { isObject } from "../fakes/fake-server.ts";
import { startFakeLangsmith } from "../fakes/langsmith.ts";
import type { SinkServer } from "../fakes/sink-server.ts";
import { startFakeWebhook } from "../fakes/webhook.ts";
import type { SluiceProcess } from "../sluice-process.ts";
import { admin, makeKey, mustAdmin, until } from "./admin.ts";

const apiKeys = { datadog: "dd-secret-of-team-a", langsmith: "lsv2_secret_of_team_b", webhook: "whsec-of-team-c" };

/** A team with one callback, and its key. */
async function makeTeam(sluice: SluiceProcess, teamId: string, callback: object): Promise<string> {
  await mustAdmin(sluice, "/team/new", { team_id: teamId });
  await mustAdmin(sluice, `/team/${teamId}/callback`, callback);
  return makeKey(sluice, { team_id: teamId });
}

async function ask(
  sluice: SluiceProcess,
  key: string,
  { content, ...fields }: { content: string; stream?: boolean },
): Promise<Response> {
  const response = await fetch(`${sluice.url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ model: "fake-model", messages: [{ role: "user", content }], ...fields }),
  });
  await response.text();
  return response;
}

const textOf = (sink: SinkServer): string => sink.requests.map(({ text }) => text).join("\n");
const recordIdOf = (response: Response): string =>
  /id=([0-9a-f-]+)/.exec(response.headers.get("x-sluice-log") ?? "")?.[1] ?? "";

test("each team's calls, answered, streamed and failed, arrive once at its own kind of destination", async ({
  startSluice,
  fakes,
}) => {
  const datadog = await startFakeDatadog({ apiKeys: [apiKeys.datadog] });
  const langsmith = await startFakeLangsmith({ apiKeys: [apiKeys.langsmith] });
  const webhook = await startFakeWebhook({ secret: apiKeys.webhook });
  const sluice = await startSluice({ config: fakeModelConfig(fakes) });
  const keys = {
    a: await makeTeam(sluice, "team-a", {
      callback_name: "datadog",
      callback_vars: { dd_api_key: apiKeys.datadog, dd_base_url: datadog.url, dd_env: "e2e" },
    }),
    b: await makeTeam(sluice, "team-b", {
      callback_name: "langsmith",
      callback_vars: {
        langsmith_api_key: apiKeys.langsmith,
        langsmith_base_url: langsmith.url,
        langsmith_project: "B",
      },
    }),
    c: await makeTeam(sluice, "team-c", {
      callback_name: "generic_api",
      callback_vars: {
        webhook_url: `${webhook.url}/logs`,
        webhook_secret: apiKeys.webhook,
        webhook_headers: "X-Tenant=team-c",
        turn_off_message_logging: true,
      },
    }),
  };
  // The first request to each is refused for a while, and one answer is lost.
  datadog.setBehaviour({ status: 503, times: 1 });
  langsmith.setBehaviour({ loseAnswer: true, times: 1 });
  webhook.setBehaviour({ status: 429, headers: { "retry-after": "1" }, times: 1 });
  for (const [name, key] of Object.entries(keys)) {
    expect((await ask(sluice, key, { content: `canary-${name} plain` })).headers.get("x-sluice-log")).toContain(
      "=queued; id=",
    );
    expect((await ask(sluice, key, { content: `canary-${name} streamed`, stream: true })).status).toBe(200);
    expect((await ask(sluice, key, { content: `[[error-500]] canary-${name} failed` })).status).toBe(500);
  }
  await until("all arrived", () => [datadog.logs, langsmith.runs, webhook.records].every((list) => list.length >= 3));
  await sleep(1_500);

  await test.step("each exactly once, nothing crosswise", () => {
    expect(datadog.logs).toHaveLength(3);
    expect(new Set(datadog.logs.map(({ message }) => message.record_id)).size).toBe(3);
    expect(langsmith.runs).toHaveLength(3);
    expect(webhook.records.map(({ receivedCount }) => receivedCount)).toEqual([1, 1, 1]);
    for (const [own, sink] of [
      ["canary-a", datadog],
      ["canary-b", langsmith],
      ["canary-c", webhook],
    ] as const) {
      const others = ["canary-a", "canary-b", "canary-c"].filter((canary) => canary !== own);
      for (const other of others) expect(textOf(sink)).not.toContain(other);
    }
  });

  await test.step("team A's logs say outcome, team and content", () => {
    expect(datadog.logs.map(({ entry }) => entry.status).toSorted()).toEqual(["error", "info", "info"]);
    for (const { entry, message } of datadog.logs) {
      expect(entry.ddtags).toMatch(/^env:e2e,.*team:team-a/);
      expect(JSON.stringify(message.messages)).toContain("canary-a");
    }
  });

  await test.step("team B's runs are in its project, the failed one with its error", () => {
    for (const run of langsmith.runs) {
      expect(run).toMatchObject({ session_name: "B", run_type: "llm", trace_id: run.id });
      expect(JSON.stringify(run.inputs)).toContain("canary-b");
    }
    expect(langsmith.runs.filter((run) => typeof run.error === "string")).toHaveLength(1);
    expect(langsmith.runs.filter((run) => isObject(run.outputs) && isObject(run.outputs.usage_metadata))).toHaveLength(
      2,
    );
  });

  await test.step("team C's records are signed and without content", () => {
    for (const { headers } of webhook.requests) expect(headers["x-tenant"]).toBe("team-c");
    expect(textOf(webhook)).not.toContain("canary");
    expect(webhook.records.map(({ record }) => record.status).toSorted()).toEqual(["failure", "success", "success"]);
    for (const { record } of webhook.records) {
      expect(record).toMatchObject({ messages: [{ role: "user", content: "redacted-by-litellm" }] });
      expect(record.metadata).toMatchObject({ user_api_key_team_id: "team-c" });
    }
  });

  await test.step("no secret is in an answer or a log of ours", async () => {
    const shown = await Promise.all(["team-a", "team-b", "team-c"].map((id) => admin(sluice, `/team/${id}/callback`)));
    for (const secret of Object.values(apiKeys)) {
      expect(JSON.stringify(shown)).not.toContain(secret);
      expect(sluice.logs()).not.toContain(secret);
    }
  });
  await Promise.all([datadog.close(), langsmith.close(), webhook.close()]);
});

test("the operator's credentials never go to an address that a team chose, and what a team may not set is refused", async ({
  startSluice,
  fakes,
}) => {
  const operator = { datadog: "dd-operator-secret", langsmith: "lsv2_operator_secret", headers: "x-operator-secret" };
  const teams = await startFakeWebhook();
  const operators = await startFakeDatadog({ apiKeys: [operator.datadog] });
  const sluice = await startSluice({
    config: { ...fakeModelConfig(fakes), litellm_settings: { callbacks: ["datadog"] } },
    env: {
      DD_API_KEY: operator.datadog,
      DD_BASE_URL: operators.url,
      LANGSMITH_API_KEY: operator.langsmith,
      GENERIC_LOGGER_ENDPOINT: "https://operator.invalid/",
      GENERIC_LOGGER_HEADERS: `X-Operator=${operator.headers}`,
    },
  });
  const plain = await ask(sluice, await makeKey(sluice, {}), { content: "canary-operator" });
  await until("the operator's own log arrived", () => operators.logs.length === 1);
  expect(operators.logs[0]?.message.record_id).toBe(recordIdOf(plain));

  for (const [index, [callback_name, callback_vars]] of [
    ["datadog", { dd_base_url: teams.url }],
    ["langsmith", { langsmith_base_url: teams.url }],
    ["webhook", { GENERIC_LOGGER_ENDPOINT: teams.url }],
  ].entries()) {
    const key = await makeTeam(sluice, `team-${String(index)}`, { callback_name, callback_vars });
    expect((await ask(sluice, key, { content: `canary-${String(index)}` })).status).toBe(200);
  }
  await until("the webhook's record arrived", () => teams.records.length === 1);
  await sleep(1_500);
  expect(teams.records[0]?.record.messages).toEqual([{ role: "user", content: "canary-2" }]);
  const received = JSON.stringify(teams.requests);
  for (const secret of Object.values(operator)) expect(received).not.toContain(secret);
  expect(operators.logs).toHaveLength(1);

  await mustAdmin(sluice, "/team/new", { team_id: "strict" });
  for (const [callback_name, callback_vars, status] of [
    ["datadog", { dd_api_key: "k", dd_site: "evil.com/x?" }, 422],
    ["datadog", { dd_api_key: "k", dd_base_url: "https://169.254.169.254" }, 400],
    ["langsmith", { langsmith_api_key: "k", langsmith_base_url: "http://10.0.0.1" }, 400],
    ["langsmith", { langsmith_api_key: "k", langsmith_sampling_rate: 2 }, 422],
    ["webhook", { webhook_url: "https://192.168.1.1/x" }, 400],
    ["webhook", { webhook_url: "https://example.com/", webhook_headers: "Host=internal-secret" }, 422],
  ] as const) {
    const answer = await admin(sluice, "/team/strict/callback", { callback_name, callback_vars });
    expect(answer.status, `${callback_name} ${JSON.stringify(callback_vars)}`).toBe(status);
    expect(JSON.stringify(answer.body)).not.toContain("internal-secret");
  }
  await Promise.all([teams.close(), operators.close()]);
});
