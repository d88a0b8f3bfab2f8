import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { GET, POST } from "#app/(rest)/team/[team_id]/callback/route.ts";
import { verifyKey } from "#keys/verify-key.ts";
import { startApp, type TestAnswer, type TestApp } from "#testing/app.ts";
import { makeKey, makeTeam } from "#testing/make.ts";
import { readEverything } from "#testing/read-everything.ts";

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
});
beforeEach(() => {
  app.configure("{}");
});
afterAll(() => app.close());

const vars = { langfuse_public_key: "pk-lf-visible-1", langfuse_secret_key: "sk-lf-hidden-1" };
const langfuse = { callback_name: "langfuse", callback_type: "success", callback_vars: vars };
const mask = "***REDACTED***";

function post(teamId: string, body: unknown, key?: string | null): Promise<TestAnswer> {
  const path = `/team/${encodeURIComponent(teamId)}/callback`;
  return app.call(POST, { path, params: { team_id: teamId }, body, ...(key === undefined ? {} : { key }) });
}

function get(teamId: string): Promise<TestAnswer> {
  return app.call(GET, { path: `/team/${encodeURIComponent(teamId)}/callback`, params: { team_id: teamId } });
}

test("answers a POST with the whole team row, secrets masked", async () => {
  const { team_id } = await makeTeam(app.db, { team_alias: "Blue" });
  const answer = await post(team_id, langfuse);
  expect(answer.status).toBe(200);
  expect(answer.body).toMatchObject({
    status: "success",
    data: {
      team_id,
      team_alias: "Blue",
      organization_id: null,
      admins: [],
      members: [],
      members_with_roles: [{ role: "admin", user_id: "default_user_id", user_email: null }],
      models: [],
      spend: 0,
      blocked: false,
      max_budget: null,
      metadata: {
        logging: [
          {
            callback_name: "langfuse",
            callback_type: "success",
            callback_vars: { langfuse_public_key: mask, langfuse_secret_key: mask },
          },
        ],
      },
    },
  });
});

test("keeps secrets out of every answer and out of every table in clear", async () => {
  const secret = `sk-lf-${randomUUID()}`;
  const { team_id } = await makeTeam(app.db);
  const body = { ...langfuse, callback_vars: { ...vars, langfuse_secret_key: secret } };
  const texts = [(await post(team_id, body)).text, (await post(team_id, body)).text, (await get(team_id)).text];
  for (const text of [...texts, await readEverything(app.db)]) expect(text).not.toContain(secret);
});

test("lists names by outcome and merges variables, the later ones winning", async () => {
  const { team_id } = await makeTeam(app.db);
  const host = "https://us.cloud.langfuse.com";
  await post(team_id, langfuse);
  await post(team_id, { ...langfuse, callback_type: "failure", callback_vars: { ...vars, langfuse_host: host } });
  expect((await get(team_id)).body).toEqual({
    status: "success",
    data: {
      team_id,
      success_callbacks: ["langfuse"],
      failure_callbacks: ["langfuse"],
      callback_vars: { langfuse_public_key: mask, langfuse_secret_key: mask, langfuse_host: host },
    },
  });
});

test("fires on both outcomes where the type is absent or null", async () => {
  for (const body of [
    { callback_name: "langfuse", callback_vars: vars },
    { ...langfuse, callback_type: null },
  ]) {
    const { team_id } = await makeTeam(app.db);
    expect((await post(team_id, body)).status).toBe(200);
    expect((await get(team_id)).body).toMatchObject({
      data: { success_callbacks: ["langfuse"], failure_callbacks: ["langfuse"] },
    });
  }
});

test("keeps a team's variables as Python's texts, null as absent", async () => {
  const { team_id } = await makeTeam(app.db);
  const callback_vars = { ...vars, turn_off_message_logging: false, langfuse_prompt_version: 3, langfuse_host: null };
  await post(team_id, { ...langfuse, callback_vars });
  expect((await get(team_id)).body).toMatchObject({
    data: { callback_vars: { turn_off_message_logging: "False", langfuse_prompt_version: "3" } },
  });
  expect((await get(team_id)).text).not.toContain("langfuse_host");
});

describe("refuses", () => {
  test.each([
    ["a type that is none", { ...langfuse, callback_type: "all" }, "callback_type"],
    ["missing variables", { callback_name: "langfuse" }, "callback_vars"],
    ["a missing name", { callback_vars: vars }, "callback_name"],
    [
      "an unknown variable",
      { ...langfuse, callback_vars: { langfuse_foo: "x" } },
      "Invalid callback variable: langfuse_foo",
    ],
    ["a variable that is an object", { ...langfuse, callback_vars: { langfuse_host: {} } }, "langfuse_host"],
    ["a NUL character", { ...langfuse, callback_vars: { ...vars, langfuse_environment: "a\0b" } }, "NUL"],
  ])("%s with 422", async (_title, body, text) => {
    const { team_id } = await makeTeam(app.db);
    const answer = await post(team_id, body);
    expect(answer.status).toBe(422);
    expect(answer.body).toHaveProperty("detail.0.loc.0", "body");
    expect(answer.text).toContain(text);
    expect((await get(team_id)).body).toMatchObject({ data: { success_callbacks: [], failure_callbacks: [] } });
  });

  test.each([
    ["an unknown name", { ...langfuse, callback_name: "prometheus" }, "langfuse"],
    ["the operator's own destination", { callback_name: "local_files", callback_vars: {} }, "local_files"],
    ["half a pair", { ...langfuse, callback_vars: { langfuse_public_key: "pk" } }, "langfuse_secret_key is missing"],
    [
      "a private host",
      { ...langfuse, callback_vars: { ...vars, langfuse_host: "https://169.254.169.254" } },
      "169.254",
    ],
    ["plain http", { ...langfuse, callback_vars: { ...vars, langfuse_host: "http://logs.example.com" } }, "https"],
    [
      "a reference to our own settings",
      { ...langfuse, callback_vars: { ...vars, langfuse_secret_key: "os.environ/SLUICE_MASTER_KEY" } },
      "SLUICE_MASTER_KEY",
    ],
    ["a sealed text", { ...langfuse, callback_vars: { ...vars, langfuse_secret_key: "sealed.AAAA" } }, "in clear"],
  ])("%s with 400", async (_title, body, text) => {
    const { team_id } = await makeTeam(app.db);
    const answer = await post(team_id, body);
    expect(answer.status).toBe(400);
    expect(answer.text).toContain(text);
    expect((await get(team_id)).body).toMatchObject({ data: { success_callbacks: [], failure_callbacks: [] } });
  });

  test("a second one of the same name and type, unless it asks for several", async () => {
    const { team_id } = await makeTeam(app.db);
    await post(team_id, langfuse);
    const again = await post(team_id, langfuse);
    expect(again.status).toBe(400);
    expect(again.body).toEqual({
      error: {
        message: `callback_name = langfuse already exists in team_callback_settings, for team_id = ${team_id} and event = success`,
        type: "bad_request_error",
        param: "callback_name",
        code: "400",
      },
    });
    expect((await post(team_id, { ...langfuse, callback_type: "success_and_failure" })).status).toBe(200);
    expect((await post(team_id, { ...langfuse, callback_type: null })).status).toBe(400);
    expect((await post(team_id, { ...langfuse, allow_multiple: true })).status).toBe(200);
    expect(await app.db.callback.count({ where: { teamId: team_id } })).toBe(3);
  });

  test("an unknown team: 400 on POST, 404 on GET, after a body that does not fit", async () => {
    const error = { detail: { error: "Team id = nobody does not exist." } };
    expect(await post("nobody", langfuse)).toMatchObject({ status: 400, body: error });
    expect(await get("nobody")).toMatchObject({ status: 404, body: error });
    // No team can have such an id.
    expect((await post("nobody\0", langfuse)).status).toBe(422);
    expect((await get("nobody\0")).status).toBe(422);
    expect((await post("nobody", { ...langfuse, callback_name: "prometheus" })).text).toContain("does not exist");
    expect((await post("nobody", { ...langfuse, callback_vars: { nonsense: "1" } })).status).toBe(422);
  });

  test("everybody but administrators", async () => {
    const { team_id } = await makeTeam(app.db);
    const { key } = await makeKey(app.db, { team_id });
    expect((await post(team_id, langfuse, null)).status).toBe(401);
    const answer = await post(team_id, langfuse, key);
    expect(answer.status).toBe(401);
    expect(answer.text).toContain("Only proxy admin can be used to generate, delete, update info");
    expect(await app.db.callback.count({ where: { teamId: team_id } })).toBe(0);
  });
});

test("keeps all of 50 callbacks that are added at once", async () => {
  app.configure("general_settings: { lenient_callbacks: true }");
  const { team_id } = await makeTeam(app.db);
  const names = Array.from({ length: 50 }, (_, index) => `custom-${String(index)}`);
  const answers = await Promise.all(names.map((callback_name) => post(team_id, { callback_name, callback_vars: {} })));
  expect(answers.map((answer) => answer.status)).toEqual(names.map(() => 200));
  const rows = await app.db.callback.findMany({ where: { teamId: team_id }, orderBy: { position: "asc" } });
  expect(rows.map((row) => row.callbackName).toSorted()).toEqual(names.toSorted());
  expect(rows.map((row) => row.position)).toEqual(names.map((_, index) => index));
});

test("takes exactly one of many equal callbacks that are added at once", async () => {
  const { team_id } = await makeTeam(app.db);
  const answers = await Promise.all(Array.from({ length: 12 }, () => post(team_id, langfuse)));
  expect(answers.filter((answer) => answer.status === 200)).toHaveLength(1);
  expect(answers.filter((answer) => answer.status === 400)).toHaveLength(11);
  expect(await app.db.callback.count({ where: { teamId: team_id } })).toBe(1);
});

test("serves team ids with slashes and other signs of a URL", async () => {
  const team_id = `org/a b?#%/${randomUUID()}`;
  await makeTeam(app.db, { team_id });
  expect((await post(team_id, langfuse)).body).toMatchObject({ data: { team_id } });
  expect((await get(team_id)).body).toMatchObject({ data: { team_id, success_callbacks: ["langfuse"] } });
});

test("takes unknown names and variables where the operator is lenient, and still no private host", async () => {
  app.configure("general_settings: { lenient_callbacks: true }");
  const { team_id } = await makeTeam(app.db);
  const callback_vars = { some_api_key: "hidden-value", region: "eu" };
  expect((await post(team_id, { callback_name: "prometheus", callback_vars })).status).toBe(200);
  expect((await get(team_id)).body).toMatchObject({
    data: { success_callbacks: ["prometheus"], callback_vars: { some_api_key: mask, region: "eu" } },
  });
  const inside = { ...langfuse, callback_vars: { langfuse_host: "http://127.0.0.1:9" } };
  expect((await post(team_id, inside)).status).toBe(400);
  app.configure("general_settings: { private_destination_hosts: ['127.0.0.1:9'] }");
  expect((await post(team_id, inside)).status).toBe(200);
});

test("is effective on the very next call of a key that was seen before", async () => {
  const { team_id } = await makeTeam(app.db);
  const { key } = await makeKey(app.db, { team_id });
  expect((await verifyKey(app.db, key)).logging.level).toBe("global");
  await post(team_id, langfuse);
  expect((await verifyKey(app.db, key)).logging).toMatchObject({
    level: "team",
    targets: [{ callbackName: "langfuse", firesOn: "success" }],
  });
});

test("writes an audit entry without secrets, and none where the operator wants none", async () => {
  const { team_id } = await makeTeam(app.db);
  await app.call(POST, {
    path: `/team/${team_id}/callback`,
    params: { team_id },
    body: langfuse,
    headers: { "litellm-changed-by": "ada" },
  });
  const entry = await app.db.auditEntry.findFirst({ where: { objectId: team_id, action: "add_callback" } });
  expect(entry).toMatchObject({ actor: "default_user_id", changedBy: "ada", objectType: "team" });
  expect(JSON.stringify(entry)).not.toContain("hidden");
  app.configure("litellm_settings: { store_audit_logs: false }");
  const quiet = await makeTeam(app.db);
  await post(quiet.team_id, langfuse);
  expect(await app.db.auditEntry.count({ where: { objectId: quiet.team_id } })).toBe(0);
});
