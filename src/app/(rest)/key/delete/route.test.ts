import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { POST } from "#app/(rest)/key/delete/route.ts";
import { verifyKey } from "#keys/verify-key.ts";
import { newRecordId } from "#lib/id.ts";
import { startApp, type TestAnswer, type TestApp } from "#testing/app.ts";
import { makeKey } from "#testing/make.ts";

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.close());

function remove(body: unknown, key?: string): Promise<TestAnswer> {
  return app.call(POST, { path: "/key/delete", body, ...(key === undefined ? {} : { key }) });
}

test("deletes by key, hash and alias, and names them as they were passed", async () => {
  const key_alias = `alias-${randomUUID()}`;
  const [first, second, third] = [
    await makeKey(app.db, {}),
    await makeKey(app.db, {}),
    await makeKey(app.db, { key_alias }),
  ];
  await verifyKey(app.db, first.key);
  expect((await remove({ keys: [first.key, second.token, "sk-nobody"] })).body).toEqual({
    deleted_keys: [first.key, second.token],
  });
  expect((await remove({ key_aliases: [key_alias] })).body).toEqual({ deleted_keys: [key_alias] });
  for (const { key } of [first, second, third]) {
    await expect(verifyKey(app.db, key)).rejects.toThrow("Invalid proxy server token passed");
  }
});

test("takes the key's callbacks along and suppresses what waits for them", async () => {
  const made = await makeKey(app.db, { metadata: { logging: [{ callback_name: "langfuse", callback_vars: {} }] } });
  const row = await app.db.callback.findFirstOrThrow({ where: { keyToken: made.token } });
  const recordId = newRecordId();
  await app.delivery.append({
    recordId,
    callId: recordId,
    teamId: null,
    keyHash: made.token,
    createdAtMs: Date.now(),
    contents: [{ body: "{}", callbackIds: [row.id] }],
  });
  await remove({ keys: [made.token] });
  expect(await app.db.callback.count({ where: { keyToken: made.token } })).toBe(0);
  expect(await app.delivery.find({ by: "record", id: recordId })).toMatchObject([{ state: "suppressed" }]);
});

test("refuses an empty request, unknown keys and virtual keys", async () => {
  for (const body of [{}, { keys: [] }, { keys: "sk-1" }]) expect((await remove(body)).status).toBe(422);
  const answer = await remove({ keys: ["sk-nobody"] });
  expect(answer.status).toBe(404);
  expect(answer.text).toContain("No keys found");
  const made = await makeKey(app.db, {});
  expect((await remove({ keys: [made.key] }, made.key)).status).toBe(401);
  await expect(verifyKey(app.db, made.key)).resolves.toMatchObject({ keyHash: made.token });
});
