import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { keyFieldRules } from "#keys/key-field-rules.ts";
import { keyShape } from "#keys/key.ts";
import { startApp, type TestApp } from "#testing/app.ts";
import { findRoute } from "#testing/find-route.ts";
import { makeKey, makeTeam, makeUser } from "#testing/make.ts";
import { answerTrpc } from "#trpc/answer-trpc.ts";

/**
 * What an administrator has set on a key, what its owner may not make of it, and what the owner may. `looser` holds what
 * clears the field, too. `child`: a key that is made by the key takes the same.
 */
type FieldCase = {
  held?: Record<string, unknown>;
  looser: readonly unknown[];
  tighter: readonly unknown[];
  child?: true;
};

const number = (name: string): FieldCase => ({ held: { [name]: 5 }, looser: [null, "", 6, "6"], tighter: [4, "4", 5] });
const operators = (name: string, held: unknown, other: unknown): FieldCase => ({
  held: { [name]: held },
  looser: [null, other],
  tighter: [held],
});
const texts = {
  held: ["a", "b"],
  looser: [null, [], ["a"], ["c"], "a", {}],
  tighter: [
    ["a", "b", "c"],
    ["b", "a"],
  ],
};
const perMinute = (name: string): FieldCase => ({
  held: { [name]: { m1: 2 } },
  looser: [null, {}, [], "m1", 7, { m1: 3 }, { m1: "1" }, { m1: null }, { m1: -1 }, { m2: 1 }],
  tighter: [{ m1: 1 }, { m1: 2, m2: 9 }, { m1: 0 }],
  child: true,
});

/** A case for every field of the schema. A field without one is a type error. */
const cases: Readonly<Record<keyof typeof keyShape, FieldCase>> = {
  key_alias: { looser: [], tighter: [null] },
  tags: { held: { tags: ["a"] }, looser: [], tighter: [["b"], []] },
  send_invite_email: { looser: [], tighter: [true] },
  organization_id: operators("organization_id", "o1", "o2"),
  budget_id: operators("budget_id", "b1", "b2"),
  permissions: operators("permissions", { pii: false }, {}),
  config: operators("config", { a: 1 }, {}),
  object_permission: operators("object_permission", { a: ["b"] }, {}),
  duration: { held: { duration: "1h" }, looser: [null, "", "-1", "2h"], tighter: ["30m"] },
  models: { held: { models: ["m1", "m2"] }, looser: [null, [], ["*"], ["m1", "m3"]], tighter: [["m1"], ["m2", "m1"]] },
  max_budget: number("max_budget"),
  soft_budget: number("soft_budget"),
  tpm_limit: number("tpm_limit"),
  rpm_limit: number("rpm_limit"),
  max_parallel_requests: number("max_parallel_requests"),
  budget_duration: {
    held: { max_budget: 5, budget_duration: "30d" },
    looser: ["1s", "29d", "0s"],
    tighter: ["60d", "2mo", "30d", null],
  },
  aliases: {
    held: { models: ["m1", "m2"], aliases: { fast: "m1" }, model_rpm_limit: { m2: 1 } },
    looser: [null, {}, { fast: "m2" }, { fast: "m1", evading: "m2" }, { fast: "m1", more: "m3" }],
    tighter: [{ fast: "m1" }, { fast: "m1", more: "m1" }],
  },
  metadata: {
    held: { metadata: { guardrails: ["pii"], model_rpm_limit: { m1: 1 }, note: "a" } },
    looser: [
      {},
      { guardrails: [], model_rpm_limit: { m1: 1 } },
      { guardrails: ["pii"] },
      { guardrails: ["pii"], model_rpm_limit: { m1: 1 }, allow_client_message_redaction_opt_out: true },
    ],
    tighter: [{ guardrails: ["pii"], model_rpm_limit: { m1: 1 }, note: "b" }, null],
  },
  allowed_routes: {
    held: { allowed_routes: ["/key/*", "llm_api_routes"] },
    looser: [null, [], ["*"], ["/*"], ["management_routes"], ["/key/*", "/team/new"], ["all-proxy-models"]],
    tighter: [["/key/info"], ["/v1/chat/completions"], ["openai_routes"], ["/key/{key}/regenerate"]],
  },
  key_type: {
    held: { key_type: "llm_api" },
    looser: ["management", "read_only"],
    tighter: ["llm_api", "default", null],
  },
  team_id: { looser: ["another-team"], tighter: [] },
  user_id: { looser: [null, "", "default_user_id", "another-user"], tighter: [] },
  blocked: { held: { blocked: true }, looser: [null, false], tighter: [true] },
  redaction: { held: { redaction: "content" }, looser: [null, "off"], tighter: ["content", "metadata_only"] },
  model_max_budget: {
    held: { model_max_budget: { m1: { max_budget: 5, budget_duration: "30d" } } },
    looser: [
      ...[null, {}, { m1: {} }, { m2: { max_budget: 1 } }],
      ...[{ m1: { max_budget: 6, budget_duration: "30d" } }, { m1: { max_budget: 5, budget_duration: "1s" } }],
      ...[{ m1: { budget_limit: "6" } }, { m1: { max_budget: 5, time_period: "1h" } }],
    ],
    tighter: [{ m1: { max_budget: 4 } }, { m1: { budget_limit: 5, time_period: "60d" }, m2: { max_budget: 100 } }],
    child: true,
  },
  model_rpm_limit: perMinute("model_rpm_limit"),
  model_tpm_limit: perMinute("model_tpm_limit"),
  guardrails: { ...texts, held: { guardrails: texts.held }, child: true },
  enforced_params: { ...texts, held: { enforced_params: texts.held }, child: true },
  allowed_cache_controls: {
    held: { allowed_cache_controls: ["no-cache", "ttl"] },
    looser: [null, [], {}, ["ttl", "no-store"], "no-store"],
    tighter: [["ttl"], "ttl", ["ttl", "no-cache"]],
    child: true,
  },
  agent_id: operators("agent_id", "a1", "a2"),
  project_id: operators("project_id", "p1", "p2"),
  auto_rotate: { held: { auto_rotate: true }, looser: [null, false], tighter: [true] },
  rotation_interval: operators("rotation_interval", "30d", "60d"),
};

const generate = await findRoute("POST /key/generate");
const regenerateNamed = await findRoute("POST /key/{key}/regenerate");
const regenerate = await findRoute("POST /key/regenerate");
const resetSpend = await findRoute("POST /key/{key}/reset_spend");
const update = await findRoute("POST /key/update");
let app: TestApp;
let owner: string;
let ownersKey: string;
let teamId: string;
beforeAll(async () => {
  app = await startApp("general_settings: { ignored_controls: [guardrails, enforced_params] }");
  owner = await makeUser(app.db);
  ownersKey = (await makeKey(app.db, { user_id: owner })).key;
  ({ team_id: teamId } = await makeTeam(app.db, {
    members_with_roles: [{ role: "user", user_id: owner }],
    team_member_permissions: ["/key/generate", "/key/update", "/key/regenerate"],
  }));
});
afterAll(() => app.close());

type Write = { token: string; fields: Record<string, unknown>; bearer: string };

/** Every way to change a key; each gives the status. */
const ways: Readonly<Record<string, (write: Write) => Promise<number>>> = {
  "/key/update": async ({ token, fields, bearer }) =>
    (await app.call(update, { path: "/key/update", body: { key: token, ...fields }, key: bearer })).status,
  "/key/regenerate": async ({ token, fields, bearer }) =>
    (await app.call(regenerate, { path: "/key/regenerate", body: { key: token, ...fields }, key: bearer })).status,
  "/key/{key}/regenerate": async ({ token, fields, bearer }) => {
    const call = { path: `/key/${token}/regenerate`, params: { key: token }, body: fields, key: bearer };
    return (await app.call(regenerateNamed, call)).status;
  },
  "keys.update": async ({ token, fields, bearer }) => {
    const request = new Request("http://127.0.0.1:4000/api/trpc/keys.update", {
      method: "POST",
      headers: { authorization: `Bearer ${bearer}`, "content-type": "application/json" },
      body: JSON.stringify({ key: token, changes: fields }),
    });
    return (await answerTrpc(request)).status;
  },
};

/** All of a key that a write could have changed. */
async function read(token: string): Promise<unknown> {
  const key = await app.db.key.findUnique({ where: { token } });
  return z.record(z.string(), z.unknown()).parse({ ...key, updatedAt: null, updatedBy: null });
}

test("every field of the schema has a rule and a case", () => {
  expect(Object.keys(keyFieldRules).toSorted()).toEqual(Object.keys(keyShape).toSorted());
  expect(Object.keys(cases).toSorted()).toEqual(Object.keys(keyShape).toSorted());
});

describe.each(Object.entries(cases))("%s", (name, { held = {}, looser, tighter, child }) => {
  const isOfUser = name === "user_id" || name === "team_id";

  test.each(Object.keys(ways))("is not loosened by the key's owner through %s, and may be tightened", async (way) => {
    const write = ways[way];
    if (write === undefined) throw new Error(`There is no way ${way}.`);
    for (const team of isOfUser ? [{}] : [{}, { team_id: teamId }]) {
      const { token } = await makeKey(app.db, { user_id: owner, ...team, ...held });
      const before = await read(token);
      for (const value of looser) {
        const status = await write({ token, fields: { [name]: value }, bearer: ownersKey });
        expect([400, 403, 422], `${name} = ${JSON.stringify(value)}`).toContain(status);
        expect(await read(token), `${name} = ${JSON.stringify(value)}`).toEqual(before);
      }
      for (const value of tighter) {
        const key = await makeKey(app.db, { user_id: owner, ...team, ...held });
        const status = await write({ token: key.token, fields: { [name]: value }, bearer: ownersKey });
        expect(status, `${name} = ${JSON.stringify(value)}`).toBe(200);
      }
    }
  });

  test("is not loosened by the key itself, and an administrator may loosen it", async () => {
    if (name !== "blocked" && name !== "allowed_routes" && name !== "key_type") {
      const { key, token } = await makeKey(app.db, { user_id: owner, ...held });
      for (const value of looser) {
        const status = await ways["/key/update"]?.({ token, fields: { [name]: value }, bearer: key });
        expect([400, 403, 422], `${name} = ${JSON.stringify(value)}`).toContain(status);
      }
    }
    if (isOfUser) return;
    for (const value of looser) {
      const { token } = await makeKey(app.db, { user_id: owner, ...held });
      const status = await ways["/key/update"]?.({ token, fields: { [name]: value }, bearer: app.masterKey });
      expect([200, 400, 422], `${name} = ${JSON.stringify(value)}`).toContain(status);
      if (value === null) expect(status, `${name} = null`).toBe(200);
    }
  });

  if (child)
    test("goes on to the keys that the key makes", async () => {
      const { key } = await makeKey(app.db, { user_id: owner, ...held });
      const make = (fields: object) => app.call(generate, { path: "/key/generate", body: fields, key });
      expect((await make({})).body).toMatchObject(held);
      for (const value of looser) {
        const { status, body } = await make({ [name]: value });
        // What asks for nothing is taken from the key.
        if (status === 200) expect(body, `${name} = ${JSON.stringify(value)}`).toMatchObject(held);
        else expect([403, 422], `${name} = ${JSON.stringify(value)}`).toContain(status);
      }
      for (const value of tighter) expect((await make({ [name]: value })).status, JSON.stringify(value)).toBe(200);
    });
});

test("a key with a budget creates none whose budget resets sooner", async () => {
  const { key } = await makeKey(app.db, { user_id: owner, max_budget: 5, budget_duration: "30d" });
  const make = (fields: object) => app.call(generate, { path: "/key/generate", body: fields, key });
  expect((await make({ budget_duration: "1s" })).status).toBe(403);
  expect((await make({ max_budget: 5, budget_duration: "1d" })).status).toBe(403);
  expect((await make({ budget_duration: "60d" })).status).toBe(200);
});

test("a period without a budget is not the owner's to set: a budget that is set later would have it", async () => {
  const { token } = await makeKey(app.db, { user_id: owner });
  const set = (fields: Record<string, unknown>) => ways["/key/update"]?.({ token, fields, bearer: ownersKey });
  expect(await set({ budget_duration: "1s" })).toBe(403);
  expect(await set({ max_budget: 5, budget_duration: "30d" })).toBe(200);
  expect(await set({ budget_duration: "1d" })).toBe(403);
});

test("an owner's write that was checked before an administrator's does not undo it", async () => {
  for (let round = 0; round < 10; round++) {
    const { token } = await makeKey(app.db, { user_id: owner, max_budget: 10, model_rpm_limit: { m1: 10 } });
    const write = (fields: Record<string, unknown>, bearer: string) => ways["/key/update"]?.({ token, fields, bearer });
    const wide = { max_budget: 10, model_rpm_limit: { m1: 10 } };
    await Promise.all([
      ...[1, 2, 3].map(() => write(wide, ownersKey)),
      write({ max_budget: 1, model_rpm_limit: { m1: 1 } }, app.masterKey),
      ...[1, 2, 3].map(() => write(wide, ownersKey)),
    ]);
    const after = await app.db.key.findUnique({ where: { token }, select: { maxBudget: true, extras: true } });
    expect(after).toMatchObject({ maxBudget: 1, extras: { model_rpm_limit: { m1: 1 } } });
  }
});

test("an administrator of the team resets no spend of the key in use", async () => {
  const admin = await makeUser(app.db);
  const { team_id } = await makeTeam(app.db, { members_with_roles: [{ role: "admin", user_id: admin }] });
  const own = await makeKey(app.db, { user_id: admin, team_id, max_budget: 5 });
  const other = await makeKey(app.db, { team_id, max_budget: 5 });
  const reset = (token: string) =>
    app.call(resetSpend, {
      path: `/key/${token}/reset_spend`,
      params: { key: token },
      body: { reset_to: 0 },
      key: own.key,
    });
  expect((await reset(own.token)).status).toBe(403);
  expect((await reset(other.token)).status).toBe(200);
});
