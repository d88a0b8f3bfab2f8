import OpenAI from "openai";
import { startFakeGcs, type FakeGcs, type FakeObject } from "../fakes/gcs.ts";
import { expect, test } from "../fixtures.ts";
import type { SluiceOptions } from "../sluice-process.ts";
import { admin, makeKey, mustAdmin, until } from "./admin.ts";

let gcs: FakeGcs;

test.beforeEach(async () => {
  gcs = await startFakeGcs();
});

test.afterEach(() => gcs.close());

/** A configuration with a model that has a price, one that fails, and tokens that come from the fake. */
function makeConfig(apiBase: string): NonNullable<SluiceOptions["config"]> {
  const params = { api_base: apiBase, api_key: "sk-u", input_cost_per_token: 0.001, output_cost_per_token: 0.002 };
  return {
    model_list: [
      { model_name: "fake-model", litellm_params: { ...params, model: "openai/x" } },
      { model_name: "broken", litellm_params: { ...params, model: "openai/error-401" } },
    ],
    litellm_settings: { callbacks: ["local_files"] },
    general_settings: { google_token_uris: [gcs.tokenUri] },
  };
}

function toPayload(value: unknown): Record<string, unknown> {
  if (typeof value !== "object" || value === null) throw new Error("A payload is no object.");
  return { ...value };
}

/** The payloads in a bucket, oldest call first. */
function payloadsIn(bucket: string): Record<string, unknown>[] {
  const parse = ({ content }: FakeObject): Record<string, unknown>[] =>
    content
      .toString("utf8")
      .split("\n")
      .map((line) => toPayload(JSON.parse(line)));
  return gcs
    .objects(bucket)
    .flatMap(parse)
    .toSorted((left, right) => Number(left["startTime"]) - Number(right["startTime"]));
}

test("each call of a team becomes one object in the team's bucket, and no other bucket gets it", async ({
  startSluice,
  fakes,
}) => {
  const sluice = await startSluice({ config: makeConfig(fakes.openai.baseUrl) });
  const keys: Record<string, string> = {};
  for (const [team, layout] of [
    ["red", {}],
    ["blue", { gcs_layout: "batch" }],
  ] as const) {
    const json = gcs.addTenant(`${team}-logs`).json;
    await mustAdmin(sluice, "/team/new", { team_id: team });
    const added = await mustAdmin(sluice, `/team/${team}/callback`, {
      callback_name: "gcs_bucket",
      callback_vars: {
        gcs_bucket_name: `${team}-logs/llm`,
        gcs_service_account_json: json,
        gcs_api_endpoint: gcs.url,
        ...layout,
      },
    });
    expect(JSON.stringify(added)).not.toContain("PRIVATE KEY");
    keys[team] = await makeKey(sluice, { team_id: team });
  }
  const client = (team: string) => new OpenAI({ apiKey: keys[team] ?? "", baseURL: `${sluice.url}/v1`, maxRetries: 0 });
  const ask = (team: string, content: string, model = "fake-model") =>
    client(team).chat.completions.create({ model, messages: [{ role: "user", content }] });

  const { data: plain, response } = await ask("red", "red plain").withResponse();
  expect(response.headers.get("x-sluice-log")).toMatch(/^gcs_bucket=queued; id=/);
  const stream = await client("red").chat.completions.create({
    model: "fake-model",
    messages: [{ role: "user", content: "red streamed" }],
    stream: true,
  });
  let streamedId = "";
  for await (const chunk of stream) streamedId = chunk.id;
  await expect(ask("red", "red failing", "broken")).rejects.toThrow(OpenAI.AuthenticationError);
  await Promise.all([1, 2, 3].map((number) => ask("blue", `blue ${String(number)}`)));

  await until("all objects arrived", () => payloadsIn("red-logs").length >= 3 && payloadsIn("blue-logs").length >= 3);
  const [first, second, third] = payloadsIn("red-logs");
  expect(gcs.objects("red-logs")).toHaveLength(3);
  expect(first).toMatchObject({
    id: plain.id,
    status: "success",
    model_group: "fake-model",
    response: { id: plain.id },
  });
  expect(first?.["response_cost"]).toBe(Number(response.headers.get("x-litellm-response-cost")));
  expect(Number(first?.["response_cost"])).toBeGreaterThan(0);
  expect(Number(first?.["total_tokens"])).toBeGreaterThan(0);
  expect(first?.["messages"]).toEqual([{ role: "user", content: "red plain" }]);
  expect(second).toMatchObject({ id: streamedId, status: "success", stream: true });
  expect(Number(second?.["response_cost"])).toBeGreaterThan(0);
  expect(third).toMatchObject({ status: "failure", response_cost: 0, response: {}, model_group: "broken" });
  const names = gcs.objects("red-logs").map(({ name }) => name);
  for (const name of names) expect(name).toMatch(/^llm\/\d{4}-\d\d-\d\d\/.+_[0-9a-f-]{36}-[0-9a-f]{8}\.json$/);
  expect(names.filter((name) => name.includes(`/${plain.id}_`))).toHaveLength(1);
  expect(names.filter((name) => name.includes("/failure_"))).toHaveLength(1);

  expect(payloadsIn("blue-logs")).toHaveLength(3);
  for (const { name, metadata } of gcs.objects("blue-logs")) {
    expect(name).toMatch(/^llm\/\d{4}-\d\d-\d\d\/batch-[0-9a-f]{32}\.ndjson$/);
    expect(metadata).toMatchObject({ team_id: "blue" });
  }
  expect(JSON.stringify(payloadsIn("blue-logs"))).not.toContain("red ");
  expect(JSON.stringify(payloadsIn("red-logs"))).not.toContain("blue ");
  expect(sluice.logs()).not.toContain("PRIVATE KEY");
});

test("no record is lost or stored twice while the bucket fails and the server is killed", async ({
  startSluice,
  fakes,
}) => {
  const sluice = await startSluice({ config: makeConfig(fakes.openai.baseUrl) });
  const vars = {
    gcs_bucket_name: "team-logs",
    gcs_service_account_json: gcs.addTenant("team-logs").json,
    gcs_api_endpoint: gcs.url,
  };
  await mustAdmin(sluice, "/team/new", { team_id: "team" });
  await mustAdmin(sluice, "/team/team/callback", { callback_name: "gcs_bucket", callback_vars: vars });
  const apiKey = await makeKey(sluice, { team_id: "team" });
  const client = new OpenAI({ apiKey, baseURL: `${sluice.url}/v1`, maxRetries: 0 });
  gcs.setBehaviour({ only: /^POST \/upload/, loseAnswer: true });
  const answers = await Promise.all(
    Array.from({ length: 10 }, (_, index) =>
      client.chat.completions.create({
        model: "fake-model",
        messages: [{ role: "user", content: `number ${String(index)}` }],
      }),
    ),
  );
  await until("an object is stored whose answer was lost", () => gcs.objects("team-logs").length > 0);
  await sluice.kill();
  gcs.setBehaviour({});
  await sluice.restart();
  await until("every call is stored", () => gcs.objects("team-logs").length >= 10, 40_000);
  expect(
    payloadsIn("team-logs")
      .map(({ id }) => String(id))
      .toSorted(),
  ).toEqual(answers.map(({ id }) => id).toSorted());
});

test("a team's variables cannot reach a file or a token endpoint of the machine", async ({ startSluice, fakes }) => {
  const sluice = await startSluice({
    config: { ...makeConfig(fakes.openai.baseUrl), general_settings: { service_account_dirs: ["/var/lib/accounts"] } },
  });
  await mustAdmin(sluice, "/team/new", { team_id: "team" });
  const save = (vars: object) =>
    admin(sluice, "/team/team/callback", {
      callback_name: "gcs_bucket",
      callback_vars: { gcs_bucket_name: "team-logs", ...vars },
    });
  for (const path of ["/etc/passwd", "/proc/self/environ", "../../key.json", "/var/lib/accounts/../key.json"]) {
    const answer = await save({ gcs_path_service_account: path });
    expect([answer.status, JSON.stringify(answer.body)]).toEqual([
      400,
      expect.stringContaining("general_settings.service_account_dirs"),
    ]);
  }
  const foreign = await save({ gcs_service_account_json: gcs.addTenant("team-logs").json });
  expect([foreign.status, JSON.stringify(foreign.body)]).toEqual([400, expect.stringContaining("token_uri")]);
  const external = { type: "external_account", credential_source: { executable: { command: "/bin/canary" } } };
  const refused = await save({ gcs_service_account_json: JSON.stringify(external) });
  expect(refused.status).toBe(400);
  expect(JSON.stringify(refused.body)).not.toContain("canary");
  expect((await save({ gcs_api_endpoint: "http://169.254.169.254" })).status).toBe(400);
  expect(gcs.requests).toEqual([]);
});
