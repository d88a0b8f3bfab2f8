import { randomUUID } from "node:crypto";
import { encode } from "next-auth/jwt";
import { afterAll, beforeAll, expect, test } from "vitest";
import { portalSettingsState } from "#auth/portal-settings.ts";
import { sessionCookieName, startSession } from "#auth/session.ts";
import { makeKey, makeTeam } from "#testing/make.ts";
import { startApp, type TestApp } from "#testing/app.ts";
import { answerTrpc } from "#trpc/answer-trpc.ts";

const secret = "secret of the sessions of the tests";
const origin = "http://127.0.0.1:4000";
let app: TestApp;
let userId: string;
let sessionId: string;
let cookie: string;

beforeAll(async () => {
  app = await startApp();
  portalSettingsState.set({ secret, url: null, oidc: null });
  userId = `user-${randomUUID()}`;
  await app.db.user.create({ data: { id: userId, role: "proxy_admin" } });
  sessionId = await startSession(app.db, userId, "a browser");
  cookie = `${sessionCookieName(false)}=${await encode({ token: { sub: userId, sid: sessionId }, secret })}`;
});

afterAll(() => app.close());

type Call = { method?: "GET" | "POST"; body?: unknown; headers?: Record<string, string> };

async function call(path: string, { method = "GET", body, headers = {} }: Call = {}) {
  const answer = await answerTrpc(
    new Request(`${origin}/api/trpc/${path}`, {
      method,
      headers: { host: "127.0.0.1:4000", "content-type": "application/json", ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }),
  );
  return { status: answer.status, text: await answer.text() };
}

test("a session of our own page and a key as a bearer both get an answer", async () => {
  expect(await call("account.me", { headers: { cookie } })).toMatchObject({ status: 200 });
  const { key } = await makeKey(app.db, { team_id: (await makeTeam(app.db)).team_id });
  expect((await call("account.me", { headers: { authorization: `Bearer ${key}` } })).status).toBe(200);
  expect((await call("account.me")).status).toBe(401);
});

test.each(["Bearer %", "Bearer %E0%A4", "Bearer sk-unknown", "Basic abc", "Bearer"])(
  "%j is refused and never a fault of ours",
  async (authorization) => {
    const { status, text } = await call("account.me", { headers: { authorization } });
    expect(status).toBe(401);
    expect(text).toContain("UNAUTHORIZED");
  },
);

test("a mutation by GET changes nothing", async () => {
  const input = encodeURIComponent(JSON.stringify({ team_alias: "by GET" }));
  expect((await call(`teams.create?input=${input}`, { headers: { cookie } })).status).toBe(405);
  expect(await app.db.team.count({ where: { alias: "by GET" } })).toBe(0);
});

test.each([
  { origin: "https://evil.example" },
  { "sec-fetch-site": "cross-site" },
  { "sec-fetch-site": "same-site" },
  { origin, "content-type": "text/plain" },
  {},
])("a session's write from %j is refused", async (headers) => {
  const alias = `foreign-${randomUUID()}`;
  const answer = await call("teams.create", {
    method: "POST",
    body: { team_alias: alias },
    headers: { cookie, ...headers },
  });
  expect(answer.status).toBeGreaterThanOrEqual(403);
  expect(await app.db.team.count({ where: { alias } })).toBe(0);
});

test("a session's write from our own page is carried out", async () => {
  const alias = `own-${randomUUID()}`;
  const headers = { cookie, origin, "sec-fetch-site": "same-origin" };
  expect((await call("teams.create", { method: "POST", body: { team_alias: alias }, headers })).status).toBe(200);
  expect(await app.db.team.count({ where: { alias } })).toBe(1);
});

test("in a batch each call is answered by itself", async () => {
  const input = encodeURIComponent(JSON.stringify({ 1: { teamId: "missing" } }));
  const { status, text } = await call(`account.me,teams.get?batch=1&input=${input}`, { headers: { cookie } });
  expect(status).toBe(207);
  expect(text).toContain(userId);
  expect(text).toContain("NOT_FOUND");
});

test("a bug keeps its words to itself", async () => {
  const { text } = await call("teams.get?input=%7B%22teamId%22%3A%22a%22%7D", { headers: { cookie } });
  expect(text).not.toContain("at ");
  expect(text).toContain("requestId");
});

test("an ended session is refused from the next request on", async () => {
  await app.db.session.delete({ where: { id: sessionId } });
  expect((await call("account.me", { headers: { cookie } })).status).toBe(401);
});
