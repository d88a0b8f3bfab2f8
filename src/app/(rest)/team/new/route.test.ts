import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { POST } from "#app/(rest)/team/new/route.ts";
import { verifyKey } from "#keys/verify-key.ts";
import { startApp, type TestAnswer, type TestApp } from "#testing/app.ts";
import { makeKey, makeTeam } from "#testing/make.ts";
import { shownSecret } from "#testing/shown-secret.ts";

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
});
beforeEach(() => {
  app.configure("{}");
});
afterAll(() => app.close());

function create(body: unknown, key?: string | null): Promise<TestAnswer> {
  return app.call(POST, { path: "/team/new", body, ...(key === undefined ? {} : { key }) });
}

const vars = { langfuse_public_key: "pk-lf-team", langfuse_secret_key: "sk-lf-team" };
const masked = { langfuse_public_key: shownSecret(), langfuse_secret_key: shownSecret() };

test("answers an empty body with a whole row under a new id", async () => {
  const answer = await create({});
  expect(answer.status).toBe(200);
  expect(answer.body).toMatchObject({
    team_alias: null,
    organization_id: null,
    members_with_roles: [{ role: "admin", user_id: "default_user_id", user_email: null }],
    team_member_permissions: null,
    metadata: {},
    tpm_limit: null,
    rpm_limit: null,
    max_budget: null,
    soft_budget: null,
    budget_duration: null,
    budget_reset_at: null,
    models: [],
    blocked: false,
    spend: 0,
    max_parallel_requests: null,
    model_id: null,
    model_spend: {},
    model_max_budget: {},
    litellm_model_table: null,
    object_permission: null,
    object_permission_id: null,
    redaction: null,
  });
  const times = z.object({ team_id: z.uuid(), created_at: z.iso.datetime(), updated_at: z.iso.datetime() });
  expect(times.safeParse(answer.body).error).toBeUndefined();
  expect(answer.headers.get("x-sluice-warning")).toBeNull();
});

test("keeps what it is given, and says which of it has no effect yet", async () => {
  const fields = {
    team_alias: `Blue ${randomUUID()}`,
    models: ["gpt-4"],
    max_budget: 12.5,
    tpm_limit: 9_000_000_000,
    budget_duration: "30d",
    model_aliases: { fast: "gpt-4" },
    guardrails: [],
    redaction: "content",
  };
  const members_with_roles = [{ role: "user", user_email: `${randomUUID()}@example.com` }];
  const answer = await create({ ...fields, members_with_roles, metadata: { cost_center: 7 }, tags: ["a"] });
  expect(answer.body).toMatchObject({ ...fields, metadata: { cost_center: 7, tags: ["a"] } });
  const members = await app.db.teamMember.findMany({
    where: { team: { alias: fields.team_alias } },
    orderBy: { role: "asc" },
  });
  expect(members).toMatchObject([
    { role: "admin", userId: "default_user_id" },
    { role: "user", userEmail: members_with_roles[0]?.user_email },
  ]);
});

test.each([
  [422, { guardrails: ["pii"] }],
  [400, { metadata: { guardrails: ["pii"] } }],
  [400, { metadata: { enforced_params: ["user"] } }],
])("a control that would be ignored is refused with %i: %j", async (status, fields) => {
  const answer = await create(fields);
  expect(answer.status).toBe(status);
  expect(answer.text).toContain("protects something");
  app.configure("general_settings: { ignored_controls: [guardrails, enforced_params] }");
  const listed = await create(fields);
  app.configure("{}");
  expect(listed.status).toBe(200);
});

test("stores callbacks of metadata, shows them masked, and tells an empty list from none", async () => {
  const entry = {
    callback_name: "langfuse",
    callback_type: "failure",
    callback_vars: { ...vars, turn_off_message_logging: true },
  };
  const own = await create({ metadata: { logging: [entry], note: "n" } });
  expect(own.body).toMatchObject({
    metadata: {
      note: "n",
      logging: [
        {
          callback_name: "langfuse",
          callback_type: "failure",
          callback_vars: { ...masked, turn_off_message_logging: "True" },
        },
      ],
    },
  });
  const { team_id } = await makeTeam(app.db, { metadata: { logging: [] } });
  const { key } = await makeKey(app.db, { team_id });
  expect((await verifyKey(app.db, key)).logging.level).toBe("team_disabled");
  expect(app.delivery.isDisabled(team_id)).toBe(true);
});

test("reads LiteLLM's older callback_settings", async () => {
  const metadata = {
    callback_settings: { success_callback: ["langfuse"], failure_callback: ["langfuse"], callback_vars: vars },
  };
  const answer = await create({ metadata });
  expect(answer.body).toMatchObject({
    metadata: {
      logging: [{ callback_name: "langfuse", callback_type: "success_and_failure", callback_vars: masked }],
    },
  });
  expect(answer.text).not.toContain("callback_settings");
});

test("takes in the keys that named the team before it had a row", async () => {
  const team_id = `team/${randomUUID()}`;
  const { key } = await makeKey(app.db, { team_id });
  expect((await verifyKey(app.db, key)).logging.level).toBe("global");
  await makeTeam(app.db, { team_id, metadata: { logging: [{ callback_name: "langfuse", callback_vars: vars }] } });
  expect((await verifyKey(app.db, key)).logging.level).toBe("team");
});

test("refuses an id that is taken, also to all but one of several at once", async () => {
  const team_id = randomUUID();
  const answers = await Promise.all(Array.from({ length: 5 }, () => create({ team_id })));
  expect(answers.filter((answer) => answer.status === 200)).toHaveLength(1);
  const refused = answers.find((answer) => answer.status === 400);
  expect(refused?.body).toHaveProperty(
    "error.message",
    `Team id = ${team_id} already exists. Please use a different team id.`,
  );
});

test.each([
  [422, { team_id: "" }, "team_id"],
  [422, { team_id: "a\nb" }, "control characters"],
  [422, { team_id: "x".repeat(257) }, "team_id"],
  [422, { models: "gpt-4" }, "models"],
  [422, { redaction: "some" }, "redaction"],
  [422, { metadata: { note: "\ud800" } }, "surrogate"],
  [422, { metadata: { logging: [{ callback_name: "langfuse", callback_vars: { langfuse_x: 1 } }] } }, "langfuse_x"],
  [400, { max_budget: -1 }, "max_budget cannot be negative"],
  [422, { max_budget: 1.7e308 }, "max_budget"],
  [400, { budget_duration: "soon" }, "budget_duration"],
  [400, { metadata: { logging: {} } }, "metadata.logging must be a list"],
  [400, { metadata: { logging: ["langfuse"] } }, "metadata.logging[0]"],
  [400, { metadata: { callback_settings: { success_callback: "langfuse" } } }, "callback_settings"],
])("answers %s to %j and makes no team", async (status, body, text) => {
  const team_alias = randomUUID();
  const answer = await create({ ...body, team_alias });
  expect(answer.status).toBe(status);
  expect(answer.text).toContain(text);
  expect(await app.db.team.count({ where: { alias: team_alias } })).toBe(0);
});

test("refuses strangers and virtual keys", async () => {
  const { key } = await makeKey(app.db, {});
  expect((await create({}, null)).status).toBe(401);
  expect((await create({}, key)).status).toBe(401);
  expect((await app.call(POST, { path: "/team/new", body: "{" })).status).toBe(422);
});
