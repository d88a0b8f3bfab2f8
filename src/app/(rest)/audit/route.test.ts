import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { GET } from "#app/(rest)/audit/route.ts";
import { POST as addCallback } from "#app/(rest)/team/[team_id]/callback/route.ts";
import { startApp, type TestApp } from "#testing/app.ts";
import { makeKey, makeTeam } from "#testing/make.ts";

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.close());

test("lists what was changed in one team, newest first, in pages, without secrets", async () => {
  const { team_id } = await makeTeam(app.db);
  const secret = `sk-lf-${randomUUID()}`;
  const callback_vars = { langfuse_public_key: "pk", langfuse_secret_key: secret };
  const headers = { "litellm-changed-by": "ada" };
  const path = `/team/${team_id}/callback`;
  await app.call(addCallback, {
    path,
    params: { team_id },
    headers,
    body: { callback_name: "langfuse", callback_vars },
  });
  const answer = await app.call(GET, { path: `/audit?object_type=team&object_id=${team_id}` });
  expect(answer.body).toMatchObject({
    audit_logs: [
      { action: "add_callback", changed_by: "ada", actor: "default_user_id", object_type: "team", object_id: team_id },
      { action: "create", changed_by: "default_user_id", before_value: null },
    ],
    total: 2,
    page: 1,
    page_size: 10,
    total_pages: 1,
  });
  expect(answer.text).not.toContain(secret);
  const second = await app.call(GET, { path: `/audit?object_id=${team_id}&page=2&page_size=1&actor=default_user_id` });
  expect(second.body).toMatchObject({ audit_logs: [{ action: "create" }], total: 2, page: 2, total_pages: 2 });
  expect((await app.call(GET, { path: `/audit?object_id=${team_id}&actor=nobody` })).body).toMatchObject({ total: 0 });
  expect((await app.call(GET, { path: `/audit?object_id=${team_id}&action=create` })).body).toMatchObject({ total: 1 });
});

test("is for administrators, and refuses pages that are none", async () => {
  const { key } = await makeKey(app.db);
  expect((await app.call(GET, { path: "/audit", key })).status).toBe(401);
  expect((await app.call(GET, { path: "/audit?page=0" })).status).toBe(422);
  expect((await app.call(GET, { path: "/audit?page_size=1000" })).status).toBe(422);
});
