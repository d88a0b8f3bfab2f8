import { randomBytes, randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { loadRoutes, makeFetch } from "#http/dispatch.ts";
import { startApp, type TestApp } from "#testing/app.ts";
import { makeKey, makeTeam, makeUser } from "#testing/make.ts";
import { readEverything } from "#testing/read-everything.ts";

/** What PostgreSQL can keep in no text, or in no index. JSON has no other way to write the second one. */
const poisons = [`nul-${randomUUID()}\0x`, `half-${randomUUID()}\ud800x`];
const long = randomBytes(6_000).toString("base64");

const routes = await loadRoutes();
const operations = routes.flatMap(({ path, handlers }) =>
  [...handlers].flatMap(([method, handler]) => {
    const { auth, body, query, keepsNothing = false, describe } = handler.options;
    const fields = body instanceof z.ZodObject ? Object.keys(body.shape) : [];
    const filters = query instanceof z.ZodObject ? Object.keys(query.shape) : [];
    const example = z.record(z.string(), z.unknown()).catch({}).parse(describe.example);
    if (auth === "llm" || auth === "none" || keepsNothing) return [];
    const params = [...path.matchAll(/:(\w+)/g)].map(([, name = ""]) => name);
    return [{ method, path: path.replaceAll("{.+}", ""), fields, filters, params, example }];
  }),
);
type Operation = (typeof operations)[number];

let app: TestApp;
let world: { team_id: string; key: string; user_id: string; callback_name: string };
const send = makeFetch(routes);
beforeAll(async () => {
  app = await startApp();
  const user_id = await makeUser(app.db);
  const { team_id } = await makeTeam(app.db, { members_with_roles: [{ role: "admin", user_id }] });
  world = { team_id, user_id, key: (await makeKey(app.db, { team_id })).key, callback_name: "langfuse" };
});
afterAll(() => app.close());

/** The path of an operation with its parameters. */
function pathOf({ path }: Operation, given: Record<string, string>): string {
  return path.replaceAll(/:(\w+)/g, (_all, name: string) =>
    // `encodeURIComponent` throws for half a surrogate pair.
    encodeURIComponent(
      (given[name] ?? Object.entries(world).find(([known]) => known === name)?.[1] ?? "x").toWellFormed(),
    ),
  );
}

async function ask(operation: Operation, path: string, body: unknown): Promise<{ status: number; text: string }> {
  const { method } = operation;
  const answer = await send(
    new Request(`http://127.0.0.1:4000${path}`, {
      method,
      headers: { authorization: `Bearer ${app.masterKey}` },
      ...(method === "GET" ? {} : { body: JSON.stringify(body) }),
    }),
  );
  return { status: answer.status, text: await answer.text() };
}

/** The body with a value in a field, in the place of the text that the example has there, however deep. */
function placesOf(example: unknown, poison: string): unknown[] {
  if (Array.isArray(example))
    return [[poison], ...example.flatMap((one) => placesOf(one, poison).map((place) => [place]))];
  if (typeof example !== "object" || example === null) return [poison];
  return Object.entries({ ...example, [poison]: "x" }).flatMap(([name, inner]) =>
    placesOf(inner, poison).map((place) => ({ ...example, [name]: place })),
  );
}

const forms = (poison: string): unknown[] => [poison, [poison], { a: { b: [poison] } }, { [poison]: 1 }];

test("a body with a text that cannot be stored is refused whole, in whatever field it is", async () => {
  let tried = 0;
  for (const operation of operations) {
    if (operation.method === "GET") continue;
    for (const poison of poisons) {
      const own = { ...operation.example, ...world };
      const inFields = [...operation.fields, "metadata", "any_other"].flatMap((field) =>
        forms(poison).map((form) => ({ ...own, [field]: form })),
      );
      for (const body of [...inFields, ...placesOf(operation.example, poison)]) {
        const { status, text } = await ask(operation, pathOf(operation, {}), body);
        const name = `${operation.method} ${operation.path} ${JSON.stringify(body).slice(0, 300)}: ${text}`;
        expect(status, name).toBeLessThan(500);
        if (operation.fields.length > 0) expect([400, 422], name).toContain(status);
        tried += 1;
      }
    }
  }
  expect(tried).toBeGreaterThan(500);
  const stored = await readEverything(app.db);
  for (const poison of poisons) expect(stored).not.toContain(poison.slice(0, 20));
}, 240_000);

test("a query or a path with a text that cannot be stored is refused, and is no fault of ours", async () => {
  let tried = 0;
  for (const operation of operations) {
    for (const poison of poisons) {
      for (const field of operation.filters) {
        const path = `${pathOf(operation, {})}?${field}=${encodeURIComponent(poison.toWellFormed())}`;
        const { status, text } = await ask(operation, path, { ...operation.example, ...world });
        expect(status, `${operation.method} ${path}: ${text}`).toBeLessThan(500);
        if (poison.includes("\0")) expect(status, `${operation.method} ${path}: ${text}`).toBe(422);
        tried += 1;
      }
      for (const name of operation.params) {
        const path = pathOf(operation, { [name]: poison });
        const { status, text } = await ask(operation, path, { ...operation.example, ...world });
        expect(status, `${operation.method} ${path}: ${text}`).toBeLessThan(500);
        if (poison.includes("\0")) expect(status, `${operation.method} ${path}: ${text}`).toBe(422);
        tried += 1;
      }
    }
  }
  expect(tried).toBeGreaterThan(60);
}, 240_000);

test("texts longer than any index holds and numbers out of range are no fault of ours", async () => {
  const numbers = [2 ** 31, 2 ** 63, 1e300, -1, 0.5];
  for (const operation of operations) {
    for (const field of operation.fields) {
      const values = [long, [long], { [long]: long }, ...numbers, "1e300", "9999999999999d", "99999999mo"];
      for (const value of values) {
        const body = { ...operation.example, ...world, [field]: value };
        const { status, text } = await ask(operation, pathOf(operation, {}), body);
        expect(
          status,
          `${operation.method} ${operation.path} ${field}=${String(value).slice(0, 40)}: ${text}`,
        ).toBeLessThan(500);
      }
    }
    for (const name of [...operation.params, ...operation.filters]) {
      const query = operation.filters.includes(name) ? `?${name}=${encodeURIComponent(long)}` : "";
      const { status, text } = await ask(
        operation,
        `${pathOf(operation, { [name]: long })}${query}`,
        operation.example,
      );
      expect(status, `${operation.method} ${operation.path} ${name}: ${text}`).toBeLessThan(500);
    }
  }
}, 240_000);
