import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadRoutes, makeFetch } from "#http/dispatch.ts";
import { shownPath } from "#http/mounted-routes.ts";
import { startApp, type TestApp } from "#testing/app.ts";
import { makeKey, makeTeam, makeUser } from "#testing/make.ts";

/** The keys with route limits that every route is called with; `own` names the route itself. */
const limits = {
  llm_api: { key_type: "llm_api" },
  management: { key_type: "management" },
  read_only: { key_type: "read_only" },
  elsewhere: { allowed_routes: ["/no/such/route", "no_such_routes"] },
};
type Limit = keyof typeof limits;
const limitNames: readonly Limit[] = ["llm_api", "management", "read_only", "elsewhere"];

const routes = await loadRoutes();
const answer = makeFetch(routes);
const cases = routes
  .flatMap((route) =>
    [...route.handlers].map(([method, handler]) => ({
      method,
      pattern: shownPath(route),
      auth: handler.options.auth,
    })),
  )
  .filter(({ auth }) => auth !== "none");

let app: TestApp;
let teamId: string;
const keys = new Map<string, string>();
beforeAll(async () => {
  app = await startApp();
  ({ team_id: teamId } = await makeTeam(app.db));
  // An administrator's keys: whatever is refused here is refused for the key's route limits alone.
  const user_id = await makeUser(app.db, "proxy_admin");
  for (const [name, fields] of Object.entries(limits)) {
    keys.set(name, (await makeKey(app.db, { user_id, ...fields })).key);
  }
  for (const { pattern } of cases) {
    if (keys.has(pattern)) continue;
    keys.set(pattern, (await makeKey(app.db, { user_id, allowed_routes: [pattern] })).key);
    keys.set(`concrete ${pattern}`, (await makeKey(app.db, { user_id, allowed_routes: [pathOf(pattern)] })).key);
  }
}, 60_000);
afterAll(() => app.close());

/** The path of a route with values that nothing has, but for the team. */
function pathOf(pattern: string): string {
  return pattern.replace("{team_id}", teamId).replace(/\{\w+\}/g, "some-value");
}

/** What LiteLLM's kinds of keys may call, by what a route is for and not by what it declares. */
function isOpenTo(limit: Limit, { method, pattern, auth }: (typeof cases)[number]): boolean {
  const isModelList = /^(\/v1)?\/models(\/\{model\})?$/.test(pattern);
  const isReceipt = pattern === "/v1/logs/{id}/deliveries";
  if (limit === "elsewhere") return false;
  if (limit === "llm_api") return auth === "llm" || isReceipt;
  if (limit === "management") return auth !== "llm" && !isReceipt;
  if (auth === "llm") return isModelList;
  const readsByPost = ["/key/health", "/v2/key/info", "/v1/logging/preview"].includes(pattern);
  const forOperators = ["/audit", "/metrics", "/routes", "/callbacks/list", "/active/callbacks", "/user/list"];
  return (method === "GET" || readsByPost) && !forOperators.includes(pattern);
}

async function call(key: string, method: string, target: string) {
  const request = new Request(`http://127.0.0.1:4000${target}`, {
    method,
    headers: { authorization: `Bearer ${keys.get(key) ?? ""}`, "content-type": "application/json" },
    ...(["GET", "HEAD"].includes(method) ? {} : { body: "{}" }),
  });
  const response = await answer(request);
  const text = await response.text();
  return { status: response.status, text, isLimited: response.status === 403 && (method === "HEAD" || isLimit(text)) };
}

function isLimit(text: string): boolean {
  return text.includes("Virtual key is not allowed to call this route");
}

const hex = (letter: string): string => letter.charCodeAt(0).toString(16);
const encodeFirst = (segment: string): string =>
  segment === "" ? "" : `%${hex(segment.charAt(0))}${segment.slice(1)}`;

/** Other ways to write a path. Some routers read them as the same one. */
function spellingsOf(path: string): string[] {
  const segments = path.slice(1).split("/");
  const each = (change: (segment: string) => string): string[] =>
    segments.map((_, index) => `/${segments.map((one, at) => (at === index ? change(one) : one)).join("/")}`);
  return [
    path,
    ...each(encodeFirst),
    ...each((segment) => encodeFirst(segment).toUpperCase()),
    ...each((segment) => encodeFirst(segment).replace("%", "%25")),
    ...each((segment) => `${segment};x=1`),
    ...each((segment) => `./${segment}`),
    ...each((segment) => `%2e/${segment}`),
    ...each((segment) => `x/../${segment}`),
    ...each((segment) => `x/%2e%2E/${segment}`),
    ...each((segment) => `/${segment}`),
    ...each((segment) => `${segment}%00`),
    ...each((segment) => `${segment}%20`),
    `/${segments.map((segment) => segment.replace(/./g, (letter) => `%${hex(letter)}`)).join("/")}`,
    `/${segments.join("%2f")}`,
    `/${segments.join("%2F")}`,
    `/${segments.join("\\")}`,
    `/v1/chat/completions/..${path}`,
    `/v1/chat/completions/%2e%2e/%2e%2e/%2e%2e${path}`,
    `${path}/`,
    `${path}//`,
    `${path}?x=/v1/chat/completions`,
    `${path}#/v1/chat/completions`,
    `${path}%3Fx=1`,
    `${path}.json`,
    path.toUpperCase(),
  ];
}

describe.each(cases)("$method $pattern", ({ method, pattern, auth }) => {
  test("is open to the kinds of keys that LiteLLM opens it to, and to no other", async () => {
    for (const limit of limitNames) {
      const { isLimited, status, text } = await call(limit, method, pathOf(pattern));
      const isOpen = isOpenTo(limit, { method, pattern, auth });
      expect(isLimited, `${limit}: ${String(status)} ${text}`).toBe(!isOpen);
    }
    for (const key of [pattern, `concrete ${pattern}`]) {
      expect((await call(key, method, pathOf(pattern))).isLimited, key).toBe(false);
    }
  });

  test("stays closed to them however its path is spelled", async () => {
    const closed = limitNames.filter((limit) => !isOpenTo(limit, { method, pattern, auth }));
    const methods = method === "GET" ? ["GET", "HEAD", "OPTIONS"] : [method, "OPTIONS"];
    for (const spelled of spellingsOf(pathOf(pattern))) {
      for (const limit of closed) {
        for (const way of methods) {
          const { isLimited, status, text } = await call(limit, way, spelled);
          // Another spelling is the same route, another route that is open, or none.
          const isNowhere = status === 404 || status === 405;
          expect(isLimited || isNowhere, `${limit} ${way} ${spelled}: ${String(status)} ${text}`).toBe(true);
        }
      }
    }
  });
});

test("a key for one team's path reaches no other team, whatever the ids look like", async () => {
  const user_id = await makeUser(app.db, "proxy_admin");
  const ids = ["a", "b", "a/b", "a/../b", "a%2Fb", "*", "{team_id}", "a/callback/b"].map(
    (id) => `${id}-${randomUUID()}`,
  );
  for (const team_id of ids) await makeTeam(app.db, { team_id });
  for (const own of ids) {
    const allowed_routes = [`/team/${encodeURIComponent(own)}/callback`];
    keys.set("own", (await makeKey(app.db, { user_id, allowed_routes })).key);
    for (const other of ids) {
      const { isLimited, status } = await call("own", "GET", `/team/${encodeURIComponent(other)}/callback`);
      expect([own, other, isLimited, status]).toEqual([own, other, own !== other, own === other ? 200 : 403]);
    }
  }
});
