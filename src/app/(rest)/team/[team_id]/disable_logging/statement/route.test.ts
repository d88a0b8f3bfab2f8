import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { POST as ADD } from "#app/(rest)/team/[team_id]/callback/route.ts";
import { POST as DISABLE } from "#app/(rest)/team/[team_id]/disable_logging/route.ts";
import { GET } from "#app/(rest)/team/[team_id]/disable_logging/statement/route.ts";
import { GET as KEYS } from "#app/(rest)/v1/logging/statement_keys/route.ts";
import { readSigned, type PublicKey } from "#lib/sign.ts";
import { countSuppressedCall } from "#logging/suppressed-calls.ts";
import { SignedDisableStatement } from "#teams/disable-statement.ts";
import { startApp, type TestAnswer, type TestApp } from "#testing/app.ts";
import { makeKey, makeTeam } from "#testing/make.ts";

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.close());

const Keys = z.object({ keys: z.array(z.custom<PublicKey>()) });

function download(team_id: string, key?: string): Promise<TestAnswer> {
  const path = `/team/${encodeURIComponent(team_id)}/disable_logging/statement`;
  return app.call(GET, { path, params: { team_id }, ...(key === undefined ? {} : { key }) });
}

async function disable(team_id: string): Promise<void> {
  const call = { path: `/team/${team_id}/disable_logging`, method: "POST", params: { team_id } };
  const headers = { "litellm-changed-by": "the data protection officer" };
  expect((await app.call(DISABLE, { ...call, headers })).status).toBe(200);
}

async function addWebhook(team_id: string): Promise<void> {
  const body = { callback_name: "langfuse", callback_vars: {} };
  expect((await app.call(ADD, { path: `/team/${team_id}/callback`, params: { team_id }, body })).status).toBe(200);
}

test("states who disabled a team, since when, and what was suppressed, signed with the published key", async () => {
  const { team_id } = await makeTeam(app.db);
  await app.delivery.append({
    ...{ recordId: randomUUID(), callId: "c", teamId: team_id, keyHash: null, createdAtMs: Date.now() },
    contents: [{ body: "{}", callbackIds: ["one", "two"] }],
  });
  await disable(team_id);
  for (let call = 0; call < 3; call += 1) countSuppressedCall(team_id);
  const answer = await download(team_id);
  expect(answer.status).toBe(200);
  expect(answer.headers.get("content-disposition")).toContain("attachment");
  const { statement, jws } = SignedDisableStatement.parse(answer.body);
  expect(statement).toMatchObject({
    team_id,
    disabled_by: "default_user_id",
    changed_by: "the data protection officer",
    enabled_again_at: null,
    suppressed: { queued_deliveries_removed: 2, calls_not_logged: 3 },
    gateways: [{ id: "this gateway", removed: 2, canary: "refused" }],
    gateways_lapsed: [],
    self_test: { canary: "refused", passed: true },
  });
  expect(Date.parse(statement.effective_since ?? "")).toBeGreaterThanOrEqual(Date.parse(statement.requested_at));
  const { keys } = Keys.parse((await app.call(KEYS, { path: "/v1/logging/statement_keys", key: null })).body);
  expect(readSigned(jws, keys)).toEqual(statement);
});

test("disabling twice is one disable; after it was ended the statement says so, and the next one is another", async () => {
  const { team_id } = await makeTeam(app.db);
  await disable(team_id);
  const first = SignedDisableStatement.parse((await download(team_id)).body).statement;
  await disable(team_id);
  expect(SignedDisableStatement.parse((await download(team_id)).body).statement).toMatchObject({
    id: first.id,
    requested_at: first.requested_at,
    effective_since: first.effective_since,
  });
  await addWebhook(team_id);
  const ended = SignedDisableStatement.parse((await download(team_id)).body).statement;
  expect(ended.id).toBe(first.id);
  expect(ended.enabled_again_at).not.toBeNull();
  expect(ended.self_test).toBeNull();
  await disable(team_id);
  expect(SignedDisableStatement.parse((await download(team_id)).body).statement.id).not.toBe(first.id);
});

test("answers 404 where a team was never disabled, and refuses who does not administer it", async () => {
  const { team_id } = await makeTeam(app.db);
  expect((await download(team_id)).status).toBe(404);
  await disable(team_id);
  const { key } = await makeKey(app.db, { team_id });
  expect((await download(team_id, key)).status).toBe(403);
});
