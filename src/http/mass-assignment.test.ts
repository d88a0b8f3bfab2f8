import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { loadRoutes } from "#http/dispatch.ts";
import { Prisma } from "#lib/prisma/client.ts";
import { startApp, type TestApp } from "#testing/app.ts";
import { makeKey, makeTeam, makeUser } from "#testing/make.ts";
import { readEverything } from "#testing/read-everything.ts";

const canary = `canary-${randomUUID()}`;

/** Every column of every table that holds people, teams, keys and callbacks, as stored and as on the wire; and guesses. */
const columns = [
  Prisma.UserScalarFieldEnum,
  Prisma.TeamScalarFieldEnum,
  Prisma.TeamMemberScalarFieldEnum,
  Prisma.KeyScalarFieldEnum,
  Prisma.CallbackScalarFieldEnum,
].flatMap((table) => Object.keys(table));
const guesses = [
  "is_admin",
  "isAdmin",
  "admin",
  "roles",
  "owner",
  "hash",
  "members",
  "keys_with_roles",
  "update",
  "data",
];
const foreign = [...new Set([...columns, ...columns.map(toSnakeCase), ...guesses])];

const routes = await loadRoutes();
const writes = routes.flatMap(({ path, handlers }) =>
  [...handlers].flatMap(([method, handler]) => {
    const { auth, body } = handler.options;
    const shape = body instanceof z.ZodObject ? body.shape : null;
    // A preview writes nothing, and needs models.
    return shape === null || auth === "llm" || method === "GET" || path === "/v1/logging/preview"
      ? []
      : [{ name: `${method} ${path.replaceAll("{.+}", "")}`, method, path, handler, shape }];
  }),
);

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.close());

function toSnakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Who writes: an administrator of everything, and one of the team that is written to. */
async function makeWorld() {
  const admin = await makeUser(app.db);
  const member = await makeUser(app.db);
  const { team_id } = await makeTeam(app.db, {
    members_with_roles: [
      { role: "admin", user_id: admin },
      { role: "user", user_id: member },
    ],
  });
  const key = await makeKey(app.db, { team_id });
  const ofAdmin = await makeKey(app.db, { user_id: admin });
  return { bearers: [ofAdmin.key, app.masterKey], team_id, key: key.key, user_id: member };
}

/** What a route is called with: its own example, on objects that are there, and everything that is none of its fields. */
function bodyOf(
  { handler, shape, name }: (typeof writes)[number],
  { team_id, key, user_id }: Awaited<ReturnType<typeof makeWorld>>,
): Record<string, unknown> {
  const example = z.record(z.string(), z.unknown()).catch({}).parse(handler.options.describe.example);
  const isNew = name.endsWith("/new");
  const fresh = `made-${randomUUID()}`;
  const named = {
    team_id: isNew ? fresh : team_id,
    user_id: name.includes("/member_add") || isNew ? fresh : user_id,
    key,
    keys: [key],
    team_ids: [team_id],
    user_ids: [user_id],
    key_alias: fresh,
  };
  const own = Object.entries(named).filter(([field]) => Object.hasOwn(example, field));
  const injected = foreign.filter((field) => !Object.hasOwn(shape, field)).map((field) => [field, canary] as const);
  return { ...Object.fromEntries(injected), ...example, ...Object.fromEntries(own) };
}

test("no write takes a column that is none of its fields, whoever writes", async () => {
  const accepted = new Set<string>();
  for (const write of writes) {
    const world = await makeWorld();
    const isInPath = write.path.includes(":");
    for (const bearer of world.bearers) {
      const request = new Request(`http://127.0.0.1:4000${write.path}`, {
        method: write.method,
        headers: { authorization: `Bearer ${bearer}` },
        body: JSON.stringify(bodyOf(write, world)),
      });
      const params = { team_id: world.team_id, key: world.key, callback_name: "langfuse" };
      const answer = await write.handler(request, { params: Promise.resolve(isInPath ? params : {}) });
      const text = await answer.text();
      expect(answer.status, `${write.name}: ${text}`).toBeLessThan(500);
      if (answer.status === 200) accepted.add(write.name);
      if (write.name.startsWith("POST /user/")) expect([401, 403, 422], write.name).toContain(answer.status);
    }
  }
  expect([...accepted]).toEqual(
    expect.arrayContaining([
      "POST /key/generate",
      "POST /key/update",
      "POST /key/regenerate",
      "POST /team/new",
      "POST /team/update",
      "POST /team/member_add",
      "POST /team/:team_id/callback",
    ]),
  );
  expect(await readEverything(app.db)).not.toContain(canary);
}, 120_000);
