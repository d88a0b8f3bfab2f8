import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { portalSettingsState } from "#auth/portal-settings.ts";
import { loadRoutes } from "#http/dispatch.ts";
import { shownPath } from "#http/mounted-routes.ts";
import { startApp, type TestApp } from "#testing/app.ts";
import { makeKey, makeTeam, makeUser } from "#testing/make.ts";
import { answerTrpc } from "#trpc/answer-trpc.ts";
import { appRouter } from "#trpc/root.ts";

const limits = {
  llm_api: { key_type: "llm_api" },
  management: { key_type: "management" },
  read_only: { key_type: "read_only" },
  everywhere: { allowed_routes: ["*"] },
  elsewhere: { allowed_routes: ["/v1/chat/completions", "/key/info-not"] },
};
type Limit = keyof typeof limits;
const limitNames: readonly Limit[] = ["llm_api", "management", "read_only", "everywhere", "elsewhere"];

const Rest = z.array(z.object({ pattern: z.string(), class: z.string() }));
const Procedure = z.object({ type: z.enum(["query", "mutation"]), meta: z.object({ rest: Rest.default([]) }) });
const procedures = Object.entries(
  z.record(z.string(), z.unknown()).parse(Reflect.get(appRouter, "_def").procedures),
).map(([path, procedure]) => {
  const isCallable = typeof procedure === "function" || (typeof procedure === "object" && procedure !== null);
  const { type, meta } = Procedure.parse(isCallable ? Reflect.get(procedure, "_def") : null);
  return { path, type, rest: meta.rest };
});

const routes = await loadRoutes();
let app: TestApp;
let userId: string;
let teamId: string;
const keys = new Map<string, string>();
beforeAll(async () => {
  app = await startApp();
  portalSettingsState.set({ secret: "secret of the sessions of the tests", url: null, oidc: null });
  userId = await makeUser(app.db, "proxy_admin");
  ({ team_id: teamId } = await makeTeam(app.db));
  for (const [name, fields] of Object.entries(limits)) {
    keys.set(name, (await makeKey(app.db, { user_id: userId, ...fields })).key);
  }
});
afterAll(() => app.close());

/** What the kinds of keys may call, by what a procedure does and not by what it declares. */
function isOpenTo(limit: Limit, { path, type, rest }: (typeof procedures)[number]): boolean {
  const hasEqual = rest.length > 0;
  if (limit === "everywhere") return hasEqual;
  if (limit === "management") return hasEqual && path !== "deliveries.find";
  if (limit === "llm_api") return path === "deliveries.find";
  if (limit === "elsewhere") return false;
  return hasEqual && type === "query" && !["audit.all", "users.list", "deliveries.retained"].includes(path);
}

const Failure = z.object({ error: z.object({ message: z.string(), data: z.object({ code: z.string() }) }) });
const isLimit = (body: unknown): boolean => {
  const { data } = Failure.safeParse(body);
  return data?.error.data.code === "FORBIDDEN" && data.error.message.startsWith("Virtual key is not allowed");
};

/** Calls procedures with a key, as one request; the input names the team and fits few of them. */
async function call(key: string, paths: readonly string[], { isBatch = false, type = "query" } = {}) {
  // Whoever may delete teams would leave none for the procedures after it.
  const named = paths[0] === "teams.delete" ? "missing" : teamId;
  const input = { teamId: named, key: "0".repeat(64) };
  const inputs = isBatch ? Object.fromEntries(paths.map((_, index) => [index, input])) : input;
  const url = new URL(`http://127.0.0.1:4000/api/trpc/${paths.join(",")}`);
  if (isBatch) url.searchParams.set("batch", "1");
  if (type === "query") url.searchParams.set("input", JSON.stringify(inputs));
  const headers = { authorization: `Bearer ${keys.get(key) ?? key}`, "content-type": "application/json" };
  const init = type === "query" ? { headers } : { method: "POST", headers, body: JSON.stringify(inputs) };
  const body: unknown = await (await answerTrpc(new Request(url, init))).json();
  return Array.isArray(body) ? z.array(z.unknown()).parse(body) : [body];
}

test("every REST equal of a procedure is a route of the wire, with its class", () => {
  const known = routes.flatMap((route) =>
    [...route.handlers.values()].map(({ options }) => `${options.class} ${shownPath(route)}`),
  );
  const named = procedures.flatMap(({ path, rest }) => rest.map((equal) => [path, `${equal.class} ${equal.pattern}`]));
  expect(named.length).toBeGreaterThan(25);
  expect(named.filter(([, equal]) => !known.includes(equal ?? ""))).toEqual([]);
});

describe.each(procedures)("$path", (procedure) => {
  test.each(limitNames)("lets in a key limited to %s only if its REST equal does", async (limit) => {
    const { path, type } = procedure;
    const [answer] = await call(limit, [path], { type });
    expect(isLimit(answer), JSON.stringify(answer)).toBe(!isOpenTo(limit, procedure));
  });
});

test("each procedure of a batch is decided by itself, and so is every spelling of its name", async () => {
  const mutations = procedures.filter(({ type }) => type === "mutation").map(({ path }) => path);
  for (const part of [mutations.slice(0, 20), mutations.slice(20)]) {
    const answers = await call("llm_api", part, { isBatch: true, type: "mutation" });
    expect(answers.map(isLimit)).toEqual(part.map(() => true));
  }
  const mixed = await call("read_only", ["teams.list", "usage.all", "keys.list"], { isBatch: true });
  expect(mixed.map(isLimit)).toEqual([false, true, false]);
  for (const spelled of [
    "policy%2Edisable",
    "%70olicy.disable",
    "/policy.disable",
    "policy.disable/",
    "x/../policy.disable",
  ]) {
    const [answer] = await call("llm_api", [spelled], { type: "mutation" });
    expect(Failure.parse(answer).error.data.code, spelled).toMatch(/FORBIDDEN|NOT_FOUND/);
  }
});

test("a key that names paths gets the procedures of these paths alone, on the team that it names", async () => {
  const { team_id: other } = await makeTeam(app.db);
  const make = async (...allowed_routes: string[]) => (await makeKey(app.db, { user_id: userId, allowed_routes })).key;
  const disables = async (key: string) => isLimit((await call(key, ["policy.disable"], { type: "mutation" }))[0]);
  expect(await disables(await make(`/team/${other}/disable_logging`, `/team/${other}/*`))).toBe(true);
  expect(await disables(await make(`/team/${teamId}/callback`, "/team/{team_id}/callback"))).toBe(true);
  expect(await disables(await make(`/team/${teamId}/*`))).toBe(false);
  expect(await disables(await make("/team/{team_id}/disable_logging"))).toBe(false);
  // Blocking and unblocking are one procedure: it takes the right to do both.
  const blocks = async (key: string) => isLimit((await call(key, ["keys.block"], { type: "mutation" }))[0]);
  expect(await blocks(await make("/key/block"))).toBe(true);
  expect(await blocks(await make("/key/block", "/key/unblock"))).toBe(false);
});

test("a right that is missing is FORBIDDEN; UNAUTHORIZED means that nobody is signed in", async () => {
  const member = await makeUser(app.db);
  const { team_id } = await makeTeam(app.db, { members_with_roles: [{ role: "user", user_id: member }] });
  const own = await makeKey(app.db, { user_id: member, team_id });
  const input = { key: own.token, changes: { key_alias: randomUUID() } };
  const request = new Request("http://127.0.0.1:4000/api/trpc/keys.update", {
    method: "POST",
    headers: { authorization: `Bearer ${own.key}`, "content-type": "application/json" },
    body: JSON.stringify(input),
  });
  const response = await answerTrpc(request);
  expect(response.status).toBe(403);
  expect(await response.json()).toMatchObject({
    error: { data: { code: "FORBIDDEN", httpStatus: 403, appCode: "forbidden" } },
  });
  const [nobody] = await call("no-key", ["teams.list"]);
  expect(Failure.parse(nobody).error.data.code).toBe("UNAUTHORIZED");
});
