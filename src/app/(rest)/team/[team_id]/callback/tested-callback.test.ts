import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { startFakeLangfuse, type FakeLangfuse } from "../../../../../../e2e/fakes/langfuse.ts";
import { startFakeWebhook } from "../../../../../../e2e/fakes/webhook.ts";
import { POST } from "#app/(rest)/team/[team_id]/callback/route.ts";
import { closeUpstreams } from "#lib/fetch-upstream.ts";
import { startApp, type TestAnswer, type TestApp } from "#testing/app.ts";
import { makeKey, makeTeam, makeUser } from "#testing/make.ts";

const project = { id: "p1", name: "Blue", publicKey: "pk-lf-blue", secretKey: "sk-lf-blue-canary" };
let app: TestApp;
let fake: FakeLangfuse;
beforeAll(async () => {
  fake = await startFakeLangfuse({ projects: [project] });
  app = await startApp(`general_settings: { private_destination_hosts: ['127.0.0.1:${String(fake.port)}'] }`);
});
afterEach(() => {
  fake.setBehaviour({});
});
afterAll(async () => {
  await closeUpstreams();
  await fake.close();
  await app.close();
});

async function post(teamId: string, vars: Record<string, unknown>, query = "?test=true"): Promise<TestAnswer> {
  const own = { langfuse_public_key: project.publicKey, langfuse_secret_key: project.secretKey };
  const callback_vars = { ...own, langfuse_host: fake.url, ...vars };
  const path = `/team/${teamId}/callback${query}`;
  const body = { callback_name: "langfuse", callback_vars };
  const answer = await app.call(POST, { path, params: { team_id: teamId }, body });
  expect(answer.text).not.toContain("canary");
  return answer;
}

test("saves a callback whose test passes, and leaves nothing at the destination", async () => {
  const { team_id } = await makeTeam(app.db);
  expect((await post(team_id, {})).status).toBe(200);
  expect(await app.db.callback.count({ where: { teamId: team_id } })).toBe(1);
  expect(fake.project("p1").spans).toEqual([]);
});

test("stores nothing where the test fails, and passes on the destination's words", async () => {
  const { team_id } = await makeTeam(app.db);
  const wrong = await post(team_id, { langfuse_secret_key: "sk-lf-wrong-canary" });
  expect(wrong.status).toBe(400);
  expect(wrong.text).toContain("401");
  expect((await post(team_id, { langfuse_secret_key: "os.environ/LANGFUSE_NOT_SET" })).text).toContain(
    "LANGFUSE_NOT_SET",
  );
  fake.setBehaviour({ status: 429 });
  expect((await post(team_id, {})).status).toBe(400);
  expect(await app.db.callback.count({ where: { teamId: team_id } })).toBe(0);
  expect(await app.db.auditEntry.count({ where: { objectId: team_id, action: "add_callback" } })).toBe(0);
  fake.setBehaviour({});
  expect((await post(team_id, { langfuse_secret_key: "sk-lf-wrong-canary" }, "")).status).toBe(200);
});

test("asks a destination for who may write alone, and saves only what it proves to take", async () => {
  const sink = await startFakeWebhook();
  app.configure(`general_settings: { private_destination_hosts: ['${new URL(sink.url).host}'] }`);
  const admin = await makeUser(app.db);
  const { team_id } = await makeTeam(app.db, { members_with_roles: [{ role: "admin", user_id: admin }] });
  const own = await makeKey(app.db, { user_id: admin });
  const foreign = await makeKey(app.db, { user_id: await makeUser(app.db) });
  const viewer = await makeKey(app.db, { user_id: await makeUser(app.db, "proxy_admin_viewer") });
  const path = `/team/${team_id}/callback?test=true`;
  const body = { callback_name: "webhook", callback_vars: { webhook_url: `${sink.url}/logs` } };
  const add = ({ key }: { key: string }) => app.call(POST, { path, params: { team_id }, body, key });
  const count = () => app.db.callback.count({ where: { teamId: team_id } });
  for (const stranger of [foreign, viewer]) expect([401, 403]).toContain((await add(stranger)).status);
  expect(sink.requests).toHaveLength(0);
  sink.setBehaviour({ status: 200, body: "ok", times: 1 });
  const unproved = await add(own);
  expect(unproved).toMatchObject({ status: 400, body: { error: { param: "callback_vars" } } });
  expect(unproved.text).toContain("proved nothing");
  expect(await count()).toBe(0);
  expect((await add(own)).status).toBe(200);
  expect(await count()).toBe(1);
  app.configure(`general_settings: { private_destination_hosts: ['127.0.0.1:${String(fake.port)}'] }`);
  await sink.close();
});

test("takes no environment from the body, and no other word than true and false", async () => {
  const { team_id } = await makeTeam(app.db);
  const vars = {
    langfuse_public_key: "pk",
    langfuse_secret_key: "os.environ/LANGFUSE_NOT_SET",
    langfuse_host: fake.url,
  };
  const body = { callback_name: "langfuse", callback_vars: vars, testIn: { LANGFUSE_NOT_SET: project.secretKey } };
  const call = { path: `/team/${team_id}/callback?test=true`, params: { team_id }, body };
  expect((await app.call(POST, call)).status).toBe(400);
  expect((await post(team_id, {}, "?test=yes")).status).toBe(422);
});
