import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { loadRoutes } from "#http/dispatch.ts";
import type { MountedRoute } from "#http/mounted-routes.ts";
import type { Route } from "#http/route.ts";
import { startApp, type TestApp } from "#testing/app.ts";
import { makeKey, makeTeam, makeUser } from "#testing/make.ts";

/**
 * What a route is about, and who of a team may call it on that team beside administrators of everything: its `admins`,
 * its `keys` too, its `members` too, or with `user` the user himself. `self`: only what is the caller's or everybody's.
 */
type Rights = { object: "team" | "key" | "user"; open: "admins" | "keys" | "members" | "self"; body?: object } | "self";

const team = { object: "team", open: "admins" } as const;
const key = { object: "key", open: "admins" } as const;

/** A route that is neither closed to all but administrators nor open to everybody has to say here whose it is. */
const rights: Readonly<Record<string, Rights>> = {
  "POST /team/update": { ...team, body: { team_alias: "x" } },
  "POST /team/member_add": team,
  "POST /team/member_update": team,
  "POST /team/member_delete": team,
  "GET /team/:team_id/callback": team,
  "POST /team/:team_id/callback": { ...team, body: { callback_name: "langfuse", callback_vars: {} } },
  "DELETE /team/:team_id/callback/:callback_name": team,
  "POST /team/:team_id/disable_logging": team,
  "GET /team/:team_id/disable_logging/statement": team,
  "GET /team/info": { object: "team", open: "members" },
  "GET /team/list": { object: "user", open: "self" },
  "POST /key/generate": { ...team, body: {} },
  "POST /key/service-account/generate": { ...team, body: {} },
  "GET /key/list": { object: "team", open: "keys" },
  "POST /key/update": key,
  "POST /key/delete": key,
  "POST /key/block": key,
  "POST /key/unblock": key,
  "POST /key/regenerate": key,
  "POST /key/:key/regenerate": key,
  "POST /key/:key/reset_spend": key,
  "GET /key/info": key,
  "GET /v1/logging/effective": key,
  "POST /user/update": { object: "user", open: "self", body: { user_alias: "x" } },
  "GET /user/info": { object: "user", open: "self" },
  "POST /v2/key/info": "self",
  "POST /key/health": "self",
  "GET /v1/logs/:id/deliveries": "self",
  "GET /v1/deliveries": team,
  "POST /v1/deliveries/replay": team,
  "POST /v1/deliveries/discard": team,
  "POST /v1/deliveries/backfill": team,
  "POST /v1/logging/preview": "self",
  "GET /health": "self",
  "GET /health/readiness/details": "self",
  "GET /metrics": "self",
  "GET /routes": "self",
  "GET /callbacks/list": "self",
  "GET /active/callbacks": "self",
  "GET /test": "self",
};

const roles = ["nobody", "viewer", "internal", "member", "admin", "proxyViewer", "proxyAdmin"] as const;
type RoleName = (typeof roles)[number];
type Person = { userId: string; bearer: string };
type Target = "own" | "foreign" | "missing";

/** A team of the people, one of others, each with a key of nobody; what there is not has ids as well. */
type World = Record<"team" | "key", Record<Target, string>> & { strangerId: string; nobody: string };

type Call = { route: MountedRoute; handler: Route; said: Exclude<Rights, "self">; world: World };

const routes = await loadRoutes();
const cases = routes.flatMap((route) =>
  [...route.handlers].map(([method, handler]) => {
    const name = `${method} ${route.path.replaceAll("{.+}", "")}`;
    return { name, route, method, handler, auth: handler.options.auth };
  }),
);

let app: TestApp;
let people: Record<Exclude<RoleName, "nobody">, Person>;
beforeAll(async () => {
  app = await startApp();
  people = {
    viewer: await makePerson("internal_user_viewer"),
    internal: await makePerson("internal_user"),
    member: await makePerson("internal_user"),
    admin: await makePerson("internal_user"),
    proxyViewer: await makePerson("proxy_admin_viewer"),
    proxyAdmin: await makePerson("proxy_admin"),
  };
});
afterAll(() => app.close());

async function makePerson(role: Parameters<typeof makeUser>[1]): Promise<Person> {
  const userId = await makeUser(app.db, role);
  return { userId, bearer: (await makeKey(app.db, { user_id: userId })).key };
}

/** What these people and nobody's keys changed; other tests run on the same database. */
function countChanges(): Promise<number> {
  const actor = { in: ["unknown", ...Object.values(people).map(({ userId }) => userId)] };
  return app.db.auditEntry.count({ where: { actor } });
}

/** The viewer administers the team too: he stays a viewer. */
async function makeWorld(): Promise<World> {
  const members_with_roles = [
    { role: "user", user_id: people.member.userId },
    { role: "admin", user_id: people.admin.userId },
    { role: "admin", user_id: people.viewer.userId },
  ];
  const own = await makeTeam(app.db, { members_with_roles });
  const foreign = await makeTeam(app.db);
  const [ofOwn, ofForeign, nobody] = [
    await makeKey(app.db, { team_id: own.team_id }),
    await makeKey(app.db, { team_id: foreign.team_id }),
    await makeKey(app.db, { team_id: own.team_id }),
  ];
  return {
    team: { own: own.team_id, foreign: foreign.team_id, missing: `team-${randomUUID()}` },
    key: { own: ofOwn.key, foreign: ofForeign.key, missing: `sk-${randomUUID()}` },
    strangerId: await makeUser(app.db),
    nobody: nobody.key,
  };
}

async function send(handler: Route, request: Request, params: Record<string, string> = {}) {
  const response = await handler(request, { params: Promise.resolve(params) });
  return { status: response.status, text: await response.text() };
}

function toRequest(path: string, { method, bearer, body }: { method: string; bearer: string | null; body?: object }) {
  return new Request(`http://127.0.0.1:4000${path}`, {
    method,
    headers: bearer === null ? {} : { authorization: `Bearer ${bearer}` },
    ...(method === "GET" || body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

function idOf({ said, world }: Call, role: RoleName, target: Target): string {
  if (said.object !== "user") return world[said.object][target];
  if (target === "missing") return "user-missing";
  return target === "foreign" || role === "nobody" ? world.strangerId : people[role].userId;
}

/** Calls a route on an object, with the example of its description as far as the table gives no body. */
function callOn(call: Call & { method: string }, role: RoleName, target: Target) {
  const { route, handler, said, method, world } = call;
  const id = idOf(call, role, target);
  const example = z
    .record(z.string(), z.unknown())
    .catch({})
    .parse(said.body ?? handler.options.describe.example);
  const names = { team: { team_id: id }, key: { key: id, keys: [id] }, user: { user_id: id } }[said.object];
  const ofMember = said.object === "team" && "user_id" in example ? { user_id: people.member.userId } : {};
  const inPath = route.path.includes(`:${said.object}`);
  const query = new URLSearchParams({ [said.object === "key" ? "key" : `${said.object}_id`]: id }).toString();
  const bearer = role === "nobody" ? world.nobody : people[role].bearer;
  const body = { ...example, ...ofMember, ...(inPath ? {} : names) };
  const params = { key: id, team_id: id, callback_name: "langfuse" };
  const path = method === "GET" && !inPath ? `${route.path}?${query}` : route.path;
  return send(handler, toRequest(path, { method, bearer, body }), inPath ? params : {});
}

function mayCall(said: Exclude<Rights, "self">, auth: string, [role, target]: [RoleName, Target]): boolean {
  const isRead = auth !== "writer";
  if (role === "proxyAdmin" || (role === "proxyViewer" && isRead)) return true;
  if (target !== "own" || (!isRead && ["viewer", "nobody", "proxyViewer"].includes(role))) return false;
  if (said.open === "self") return role !== "nobody";
  if (role === "admin" || role === "viewer") return true;
  if (role === "nobody") return said.open === "keys" || said.open === "members";
  return role === "member" && said.open === "members";
}

test("every route that is not for administrators or everybody alone says whose it is, and no other is listed", () => {
  const open = cases.filter(({ auth }) => auth === "key" || auth === "writer").map(({ name }) => name);
  expect(Object.keys(rights).filter((name) => !open.includes(name))).toEqual([]);
  const known = [...Object.keys(rights), ...open.filter(isOfTheDescription)];
  expect(open.filter((name) => !known.includes(name))).toEqual([]);
});

/** The description of the interface says the same to everybody. */
function isOfTheDescription(name: string): boolean {
  return /^GET \/(openapi\.json|docs)(\/|$)/.test(name);
}

describe.each(cases.filter(({ auth }) => auth !== "none"))("$name", ({ name, route, method, handler, auth }) => {
  test("lets nobody in without a valid key", async () => {
    for (const bearer of [null, `sk-${randomUUID()}`, "no-key"]) {
      expect((await send(handler, toRequest(route.path, { method, bearer, body: {} }))).status).toBe(401);
    }
  });

  if (auth === "admin" || auth === "admin_viewer" || auth === "writer")
    test("keeps roles out", async () => {
      const { nobody } = await makeWorld();
      const audited = await countChanges();
      for (const role of roles) {
        const isIn =
          role === "proxyAdmin" ||
          (auth === "admin_viewer" && role === "proxyViewer") ||
          (auth === "writer" && ["internal", "member", "admin"].includes(role));
        if (isIn) continue;
        const bearer = role === "nobody" ? nobody : people[role].bearer;
        const answer = await send(handler, toRequest(route.path, { method, bearer, body: {} }));
        expect(answer.status, role).toBe(401);
        expect(answer.text).toContain(`Only proxy admin can be used`);
      }
      expect(await countChanges()).toBe(audited);
    });

  const said = rights[name];
  if (said !== undefined && said !== "self")
    test("does on a team what its caller may, and nothing else", async () => {
      const world = await makeWorld();
      const call = { route, method, handler, said, world };
      const audited = await countChanges();
      const all = roles.flatMap((role) =>
        (["own", "foreign", "missing"] as const).map((target) => [role, target] as const),
      );
      for (const [role, target] of all.filter(([...who]) => !mayCall(said, auth, who))) {
        const answer = await callOn(call, role, target);
        expect([400, 401, 403], `${role} on ${target}: ${answer.text}`).toContain(answer.status);
        if (target !== "missing") continue;
        const foreign = await callOn(call, role, "foreign");
        const withoutId = ({ text }: { text: string }, where: Target): string =>
          text.replaceAll(idOf(call, role, where), "ID");
        expect(withoutId(answer, "missing")).toBe(withoutId(foreign, "foreign"));
      }
      expect(await countChanges()).toBe(audited);
      for (const [role, target] of all.filter(([...who]) => mayCall(said, auth, who))) {
        const answer = await callOn(call, role, target);
        expect([401, 403], `${role} on ${target}: ${answer.text}`).not.toContain(answer.status);
        expect(answer.status).toBeLessThan(500);
        expect(answer.status).not.toBe(422);
        if (target !== "missing" && role === "admin") expect(answer.status).toBeLessThan(405);
      }
    });
});
