import { randomUUID } from "node:crypto";
import { TRPCError } from "@trpc/server";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { portalSettingsState } from "#auth/portal-settings.ts";
import type { Actor, Role } from "#keys/actor.ts";
import { makeKey, makeTeam } from "#testing/make.ts";
import { z } from "zod";
import { startApp, type TestApp } from "#testing/app.ts";
import type { Context } from "#trpc/context.ts";
import { appRouter } from "#trpc/root.ts";
import { createCaller, type Access } from "#trpc/trpc.ts";

/** Who comes: nobody, and every role of the gateway and of the team that the input names. */
const visitors = ["nobody", "stranger", "member", "team_admin", "viewing_member", "admin_viewer", "admin"] as const;
type Visitor = (typeof visitors)[number];

/** Whom each kind of access lets in. Everybody else is refused before the use case is asked. */
const letsIn: Record<Access, readonly Visitor[]> = {
  everybody: visitors,
  user: visitors.filter((visitor) => visitor !== "nobody"),
  writer: ["stranger", "member", "team_admin", "admin"],
  admin: ["admin"],
  admin_viewer: ["admin_viewer", "admin"],
  session: visitors.filter((visitor) => visitor !== "nobody"),
  team_reader: ["member", "team_admin", "viewing_member", "admin_viewer", "admin"],
  team_inspector: ["team_admin", "admin_viewer", "admin"],
  team_admin: ["team_admin", "admin"],
};

const roles: Record<Exclude<Visitor, "nobody">, Role> = {
  stranger: "internal_user",
  member: "internal_user",
  team_admin: "internal_user",
  viewing_member: "internal_user_viewer",
  admin_viewer: "proxy_admin_viewer",
  admin: "proxy_admin",
};

let app: TestApp;
let teamId: string;
let foreignTeamId: string;
let key: string;
const actors = new Map<Visitor, Actor | null>([["nobody", null]]);

beforeAll(async () => {
  app = await startApp();
  portalSettingsState.set({ secret: "secret of the sessions of the tests", url: null, oidc: null });
  ({ team_id: teamId } = await makeTeam(app.db));
  ({ team_id: foreignTeamId } = await makeTeam(app.db));
  ({ token: key } = await makeKey(app.db, { team_id: foreignTeamId }));
  for (const visitor of visitors) {
    if (visitor === "nobody") continue;
    const userId = `${visitor}-${randomUUID()}`;
    const role = roles[visitor];
    await app.db.user.create({ data: { id: userId, role } });
    actors.set(visitor, { role, userId, keyHash: null, teamId: null, changedBy: null });
    const inTeam =
      visitor === "member" || visitor === "viewing_member" ? "user" : visitor === "team_admin" ? "admin" : null;
    if (inTeam) await app.db.teamMember.create({ data: { teamId, userId, role: inTeam } });
  }
});

afterAll(() => app.close());

const AccessName = z.custom<Access>((name) => typeof name === "string" && Object.hasOwn(letsIn, name));
const Stated = z.object({ type: z.string(), meta: z.object({ access: AccessName }) });
const procedures = Object.entries(
  z.record(z.string(), z.unknown()).parse(Reflect.get(appRouter, "_def").procedures),
).map(([path, procedure]): [string, z.output<typeof Stated>] => [
  path,
  Stated.parse(isCallable(procedure) ? Reflect.get(procedure, "_def") : null),
]);

test("every procedure states whom it lets in", () => {
  expect(procedures.length).toBeGreaterThan(30);
  expect(procedures.filter(([, { meta }]) => !Object.hasOwn(letsIn, meta.access))).toEqual([]);
});

describe.each(procedures)("%s", (path, { meta: { access } }) => {
  test.each(visitors)(`(${access}) called by %s`, async (visitor) => {
    // Whoever may delete teams would leave none for the procedures after it.
    const code = await call(path, visitor, path === "teams.delete" ? `missing-${randomUUID()}` : teamId);
    if (letsIn[access].includes(visitor)) return;
    expect(["UNAUTHORIZED", "FORBIDDEN", "NOT_FOUND"]).toContain(code);
    if (visitor === "nobody") expect(code).toBe("UNAUTHORIZED");
  });

  if (access.startsWith("team_"))
    test("a foreign team and a missing one are refused alike", async () => {
      for (const visitor of ["stranger", "member", "team_admin", "viewing_member"] as const) {
        expect(await call(path, visitor, foreignTeamId)).toBe("NOT_FOUND");
        expect(await call(path, visitor, `missing-${randomUUID()}`)).toBe("NOT_FOUND");
      }
    });
});

test("a foreign key can be neither read nor changed, whatever the procedure", async () => {
  const named = procedures.filter(
    ([path]) => path.startsWith("keys.") && !["keys.list", "keys.expiring", "keys.generate"].includes(path),
  );
  expect(named.length).toBeGreaterThanOrEqual(6);
  for (const [path] of named) {
    const input = { key, changes: {}, blocked: true };
    for (const visitor of ["stranger", "member", "team_admin"] as const) {
      expect([path, await run(path, visitor, input)]).toEqual([
        path,
        expect.stringMatching(/FORBIDDEN|NOT_FOUND|UNAUTHORIZED/),
      ]);
    }
  }
  expect(await app.db.key.findUnique({ where: { token: key }, select: { blocked: true } })).toEqual({ blocked: null });
});

test("who is let in gets an answer: a team's own administrator reads it all", async () => {
  const read = procedures.filter(
    ([path, { type }]) => type === "query" && path !== "deliveries.find" && path !== "policy.preview",
  );
  for (const [
    path,
    {
      meta: { access },
    },
  ] of read) {
    if (!access.startsWith("team_") || path === "callbacks.get" || path === "deliveries.retained") continue;
    expect([path, await call(path, "team_admin", teamId)]).toEqual([path, "OK"]);
  }
});

/** The code of the error that a procedure throws with an input that names a team and nothing else; OK where it answers. */
function call(path: string, visitor: Visitor, team: string): Promise<string> {
  return run(path, visitor, { teamId: team, search: "", page: 1 });
}

async function run(path: string, visitor: Visitor, input: unknown): Promise<string> {
  const actor = actors.get(visitor) ?? null;
  const session = actor?.userId ? { id: "none", userId: actor.userId } : null;
  const context: Context = { db: app.db, actor, allowedRoutes: [], session, requestId: "test" };
  const caller: unknown = path
    .split(".")
    .reduce<unknown>(
      (at, name) => (isCallable(at) ? Reflect.get(at, name) : undefined),
      createCaller(appRouter)(context),
    );
  if (typeof caller !== "function") throw new Error(`There is no procedure ${path}.`);
  try {
    await Reflect.apply(caller, undefined, [input]);
    return "OK";
  } catch (error) {
    if (error instanceof TRPCError) return error.code;
    throw error;
  }
}

function isCallable(value: unknown): value is object {
  return (typeof value === "object" && value !== null) || typeof value === "function";
}
