import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { POST } from "#app/(rest)/key/generate/route.ts";
import { verifyKey } from "#keys/verify-key.ts";
import { sha256Hex } from "#lib/id.ts";
import { startApp, type TestAnswer, type TestApp } from "#testing/app.ts";
import { makeKey, makeTeam } from "#testing/make.ts";
import { readEverything } from "#testing/read-everything.ts";
import { shownSecret } from "#testing/shown-secret.ts";

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
});
beforeEach(() => {
  app.configure("{}");
});
afterAll(() => app.close());

function generate(body: unknown, key?: string | null): Promise<TestAnswer> {
  return app.call(POST, { path: "/key/generate", body, ...(key === undefined ? {} : { key }) });
}

function textAt(answer: TestAnswer, name: string): string {
  return z.looseObject({ [name]: z.string() }).parse(answer.body)[name] ?? "";
}

test("makes a key that works, and shows it this once", async () => {
  const answer = await generate({});
  const key = textAt(answer, "key");
  expect(key).toMatch(/^sk-[\w-]{22}$/);
  const token = sha256Hex(key);
  expect(answer.body).toMatchObject({
    key_name: `sk-...${key.slice(-4)}`,
    token,
    token_id: token,
    key_alias: null,
    expires: null,
    team_id: null,
    user_id: "default_user_id",
    models: [],
    aliases: {},
    config: {},
    permissions: {},
    spend: 0,
    max_budget: null,
    tpm_limit: null,
    rpm_limit: null,
    max_parallel_requests: null,
    budget_duration: null,
    budget_reset_at: null,
    blocked: null,
    metadata: {},
    allowed_routes: [],
    allowed_cache_controls: [],
    model_spend: {},
    model_max_budget: {},
    budget_id: null,
    created_by: "default_user_id",
    updated_by: "default_user_id",
    last_active: null,
    litellm_budget_table: null,
    object_permission: null,
  });
  expect(await verifyKey(app.db, key)).toMatchObject({ keyHash: token, userId: null, role: "unknown" });
  expect(await readEverything(app.db)).not.toContain(key);
});

test("echoes metadata with its JSON types and without what was not given, of secrets the end and a fingerprint", async () => {
  const secret = `sk-lf-${randomUUID()}`;
  const metadata = {
    cost_center: 7,
    nested: { deep: [true, null] },
    logging: [
      { callback_name: "langfuse", callback_vars: { turn_off_message_logging: false, langfuse_prompt_version: 2 } },
      {
        callback_name: "langfuse",
        callback_type: "failure",
        callback_vars: { langfuse_public_key: "pk-lf", langfuse_secret_key: secret, langfuse_host: "" },
      },
    ],
  };
  const answer = await generate({ metadata });
  expect(answer.body).toHaveProperty("metadata", {
    ...metadata,
    logging: [
      metadata.logging[0],
      {
        callback_name: "langfuse",
        callback_type: "failure",
        callback_vars: {
          langfuse_public_key: shownSecret(),
          langfuse_secret_key: shownSecret(secret.slice(-4)),
          langfuse_host: "",
        },
      },
    ],
  });
  expect(await readEverything(app.db)).not.toContain(secret);
});

test("keeps an environment reference sealed, and refuses one that is not allowed", async () => {
  const refer = (name: string) => ({
    metadata: {
      logging: [
        {
          callback_name: "langfuse",
          callback_vars: { langfuse_public_key: "pk", langfuse_secret_key: `os.environ/${name}` },
        },
      ],
    },
  });
  expect((await generate(refer("LANGFUSE_TEAM_A"))).status).toBe(200);
  const refused = await generate(refer("HOME"));
  expect(refused.status).toBe(400);
  expect(refused.text).toContain("env_references");
});

test("keeps limits and extras, and says which have no effect yet", async () => {
  const fields = { max_budget: 0.5, tpm_limit: 5_000_000_000, permissions: { a: true }, agent_id: "agent-1" };
  const answer = await generate({ ...fields, rpm_limit: "", model_rpm_limit: {}, unheard_of: 1 });
  expect(answer.body).toMatchObject({ ...fields, rpm_limit: null });
  expect(answer.text).not.toContain("unheard_of");
  expect(answer.headers.get("x-sluice-warning")).toBe(
    "permissions is stored but not enforced in this version; 1 unknown field was ignored: unheard_of",
  );
});

test.each([
  ["30s", 30],
  ["30m", 1800],
  ["2h", 7200],
  ["1d", 86_400],
  ["1w", 604_800],
])("lets a key of duration %s expire after %i seconds", async (duration, seconds) => {
  const beforeMs = Date.now();
  const answer = await generate({ duration });
  const expiresMs = Date.parse(textAt(answer, "expires"));
  expect(expiresMs).toBeGreaterThanOrEqual(beforeMs + seconds * 1000);
  expect(expiresMs).toBeLessThanOrEqual(Date.now() + seconds * 1000);
});

test("turns tags, key_type and aliases into what calls read", async () => {
  const answer = await generate({ tags: ["a"], key_type: "llm_api", aliases: { fast: "gpt-4" }, redaction: "content" });
  expect(answer.body).toMatchObject({ metadata: { tags: ["a"] }, allowed_routes: ["llm_api_routes"] });
  expect(await verifyKey(app.db, textAt(answer, "key"))).toMatchObject({
    tags: ["a"],
    modelAliases: { fast: "gpt-4" },
  });
});

test("accepts a team that has no row, and ties the key to one that has", async () => {
  expect((await generate({ team_id: "only/in config" })).body).toMatchObject({ team_id: "only/in config" });
  const { team_id } = await makeTeam(app.db, { metadata: { logging: [] } });
  const answer = await generate({ team_id });
  expect((await verifyKey(app.db, textAt(answer, "key"))).logging.level).toBe("team_disabled");
});

test("takes a given key and a given alias once", async () => {
  const [key, key_alias] = [`sk-${randomUUID()}`, `alias-${randomUUID()}`];
  expect((await generate({ key, key_alias })).body).toMatchObject({ key, key_alias });
  expect(await generate({ key })).toMatchObject({ status: 400, body: { error: { param: "key" } } });
  const answers = await Promise.all([generate({ key_alias }), generate({ key_alias })]);
  for (const answer of answers) {
    expect(answer).toMatchObject({
      status: 400,
      body: {
        error: {
          message: `Key with alias '${key_alias}' already exists. Unique key aliases across all keys are required.`,
          type: "bad_request_error",
          param: "key_alias",
        },
      },
    });
  }
});

test.each([
  [422, { models: "gpt-4" }, "models"],
  [422, { max_budget: "much" }, "max_budget"],
  [422, { max_parallel_requests: 3_000_000_000 }, "max_parallel_requests"],
  [422, { metadata: "x" }, "metadata"],
  [422, { key_alias: "a\0b" }, "NUL"],
  [422, { key_type: "root" }, "key_type"],
  [
    422,
    { metadata: { logging: [{ callback_name: "langfuse", callback_type: "all", callback_vars: {} }] } },
    "callback_type",
  ],
  [422, { metadata: { logging: [{ callback_name: "langfuse", callback_vars: { langfuse_x: 1 } }] } }, "langfuse_x"],
  [400, { max_budget: -1 }, "max_budget cannot be negative"],
  [400, { rpm_limit: -1 }, "rpm_limit cannot be negative"],
  [400, { duration: "1y" }, "duration"],
  [400, { duration: "999999999999w" }, "duration"],
  [400, { key: "my-own-key-0123456789" }, "must start with 'sk-'. Received: my-o****6789"],
  [400, { key: "sk-with space" }, "Invalid key format"],
  [400, { metadata: { logging: [{ callback_name: "langfuse", callback_vars: {} }, "x"] } }, "metadata.logging[1]"],
  [400, { metadata: { logging: [{ callback_vars: {} }] } }, "metadata.logging[0]: callback_name is required"],
  [
    400,
    { metadata: { logging: [{ callback_name: "s3", callback_vars: {} }] } },
    "metadata.logging[0]: Unknown callback_name",
  ],
])("answers %s to %j", async (status, body, text) => {
  const answer = await generate(body);
  expect(answer.status).toBe(status);
  expect(answer.text).toContain(text);
});

test("takes what it can of malformed entries where the operator is lenient", async () => {
  app.configure("general_settings: { lenient_callbacks: true }");
  const logging = [
    "x",
    { callback_vars: {} },
    { callback_name: "s3", callback_type: "all", callback_vars: { a: {}, b: 1 } },
  ];
  const answer = await generate({ metadata: { logging } });
  expect(answer.status).toBe(200);
  expect(answer.body).toHaveProperty("metadata.logging", [
    { callback_vars: {} },
    { callback_name: "s3", callback_type: "all", callback_vars: { b: 1 } },
  ]);
  expect((await verifyKey(app.db, textAt(answer, "key"))).logging).toEqual({
    level: "key",
    targets: [],
    silentRedaction: "off",
  });
});

test("fills in the operator's defaults and keeps below his bounds", async () => {
  app.configure(`
litellm_settings:
  default_key_generate_params: { models: [gpt-4], max_budget: 3 }
  upperbound_key_generate_params: { max_budget: 10, duration: 30d, tpm_limit: 100 }`);
  expect((await generate({})).body).toMatchObject({ models: ["gpt-4"], max_budget: 3, tpm_limit: 100 });
  expect((await generate({ max_budget: 10, models: ["x"] })).body).toMatchObject({ max_budget: 10, models: ["x"] });
  const refused = await generate({ max_budget: 11 });
  expect(refused.status).toBe(400);
  expect(refused.text).toContain("max_budget is over max limit set in config - user_value=11; max_value=10");
  expect((await generate({ duration: "2mo" })).text).toContain("duration is over max limit");
  expect((await generate({ duration: "-1" })).status).toBe(400);
});

test("refuses the master key as a virtual key, strangers and virtual keys", async () => {
  expect((await generate({ key: app.masterKey })).status).toBe(400);
  const { key } = await makeKey(app.db, {});
  expect((await generate({}, null)).status).toBe(401);
  expect((await generate({}, key)).text).toContain("Only proxy admin");
});
