import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { GET } from "#app/(rest)/key/info/route.ts";
import { startApp, type TestAnswer, type TestApp } from "#testing/app.ts";
import { makeKey } from "#testing/make.ts";
import { shownSecret } from "#testing/shown-secret.ts";

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.close());

function info(query: string, key?: string): Promise<TestAnswer> {
  return app.call(GET, { path: `/key/info${query}`, ...(key === undefined ? {} : { key }) });
}

test("shows a key to administrators and to itself, named or not, without hash and secrets", async () => {
  const secret = `sk-lf-${randomUUID()}`;
  const logging = [
    { callback_name: "langfuse", callback_vars: { langfuse_public_key: "pk", langfuse_secret_key: secret } },
  ];
  const made = await makeKey(app.db, { models: ["gpt-4"], metadata: { logging } });
  const answers = [
    { answer: await info(`?key=${made.key}`), key: made.key },
    { answer: await info(`?key=${made.token}`), key: made.token },
    { answer: await info(`?key=${made.key}`, made.key), key: made.key },
    { answer: await info("", made.key), key: made.token },
  ];
  for (const { answer, key } of answers) {
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({
      key,
      info: {
        key_name: made.key_name,
        models: ["gpt-4"],
        metadata: { logging: [{ callback_vars: { langfuse_secret_key: shownSecret(secret.slice(-4)) } }] },
      },
    });
    expect(answer.body).not.toHaveProperty("info.token");
    for (const hidden of [secret, "sealed."]) expect(answer.text).not.toContain(hidden);
  }
});

test("tells a key nothing of others, not even whether they exist", async () => {
  const [own, other] = [await makeKey(app.db, {}), await makeKey(app.db, {})];
  const [foreign, missing] = [await info(`?key=${other.token}`, own.key), await info("?key=sk-nobody", own.key)];
  expect(foreign.status).toBe(403);
  expect(foreign.text).toContain("You are not allowed to access this key's info. Your role=unknown");
  expect(missing.body).toEqual(foreign.body);
});

test("answers 404 for a key that has no row, the master key's among them", async () => {
  for (const query of ["?key=sk-nobody", "", `?key=${app.masterKey}`]) {
    expect(await info(query)).toMatchObject({
      status: 404,
      body: { error: { message: "Key not found in database", type: "not_found_error", param: "key", code: "404" } },
    });
  }
  expect((await app.call(GET, { path: "/key/info", key: null })).status).toBe(401);
});
