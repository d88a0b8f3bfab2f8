import { randomUUID } from "node:crypto";
import { TRPCError } from "@trpc/server";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { portalSettingsState } from "#auth/portal-settings.ts";
import type { Actor } from "#keys/actor.ts";
import { keyShape } from "#keys/key.ts";
import { Prisma } from "#lib/prisma/client.ts";
import { deliveryState } from "#logging/delivery.ts";
import type { Queue } from "#logging/queue/queue.ts";
import { addCallback } from "#teams/add-callback.ts";
import { listTeamCallbacks } from "#teams/list-team-callbacks.ts";
import { TeamFields } from "#teams/team.ts";
import { startApp, type TestApp } from "#testing/app.ts";
import { makeKey, makeTeam, makeUser, masterActor } from "#testing/make.ts";
import { makeLocalHome } from "#testing/queue-engines.ts";
import { readEverything } from "#testing/read-everything.ts";
import { makeTestDelivery } from "#testing/test-delivery.ts";
import type { Context } from "#trpc/context.ts";
import { appRouter } from "#trpc/root.ts";
import { createCaller } from "#trpc/trpc.ts";

const canary = `canary-${randomUUID()}`;

/** Every column of every table that holds people, teams, keys and callbacks, as stored and as on the wire; and guesses. */
const columns = [
  Prisma.UserScalarFieldEnum,
  Prisma.TeamScalarFieldEnum,
  Prisma.TeamMemberScalarFieldEnum,
  Prisma.KeyScalarFieldEnum,
  Prisma.CallbackScalarFieldEnum,
].flatMap((table) => Object.keys(table));
const toSnakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const guesses = ["isAdmin", "is_admin", "user_role", "owner", "data", "update", "constructor", "actor"];
/** What keys and teams have by these names is theirs to set. */
const settable = new Set([...Object.keys(keyShape), ...Object.keys(TeamFields.shape), "callback_id", "callback_type"]);
const foreign = [...columns, ...columns.map(toSnakeCase), ...guesses].filter((name) => !settable.has(name));

/** A team with everything in it that a procedure can name. */
type World = {
  teamId: string;
  admin: string;
  member: string;
  key: string;
  callbackId: string;
  version: number;
  recordId: string;
};

const callbackVars = { langfuse_public_key: "pk", langfuse_secret_key: "sk", langfuse_host: "https://127.0.0.1" };

/** What each mutation is called with. A mutation that is missing here fails the test. */
const inputs: Record<string, (world: World) => Record<string, unknown>> = {
  "account.endSession": () => ({ id: `session-${randomUUID()}` }),
  "account.changePassword": () => ({ current: "a wrong password", next: "another long password" }),
  "account.acceptInvitation": () => ({ secret: randomUUID(), password: "another long password" }),
  "callbacks.add": ({ teamId }) => ({ teamId, callback_name: "langfuse", callback_vars: callbackVars }),
  "callbacks.update": ({ teamId, callbackId, version }) => ({
    ...{ teamId, callbackId, version, callback_vars: callbackVars },
  }),
  "callbacks.remove": ({ teamId, callbackId }) => ({ teamId, callbackId }),
  "callbacks.test": ({ teamId, callbackId }) => ({
    ...{ teamId, callbackId, callback_name: "langfuse", callback_vars: callbackVars },
  }),
  "callbacks.check": ({ teamId, callbackId }) => ({ teamId, callbackId }),
  "deliveries.replay": ({ teamId, callbackId, recordId }) => ({
    ...{ teamId, callback_id: callbackId, record_ids: [recordId] },
  }),
  "deliveries.discard": ({ teamId, callbackId, recordId }) => ({
    ...{ teamId, callback_id: callbackId, record_ids: [recordId] },
  }),
  "deliveries.backfill": ({ teamId, callbackId }) => ({ teamId, callback_id: callbackId, hours: 1 }),
  "keys.generate": ({ teamId }) => ({ fields: { team_id: teamId, key_alias: `made-${randomUUID()}` } }),
  "keys.update": ({ key }) => ({ key, changes: { key_alias: `made-${randomUUID()}` } }),
  "keys.regenerate": ({ key }) => ({ key }),
  "keys.block": ({ key }) => ({ key, blocked: true }),
  "keys.delete": ({ key }) => ({ key }),
  "keys.check": ({ key }) => ({ key }),
  "members.add": ({ teamId }) => ({ teamId, user_email: `made-${randomUUID()}@example.com`, role: "user" }),
  "members.update": ({ teamId, member }) => ({ teamId, user_id: member, role: "user" }),
  "members.remove": ({ teamId, member }) => ({ teamId, user_id: member }),
  "policy.setRedaction": ({ teamId }) => ({ teamId, redaction: "content" }),
  "policy.disable": ({ teamId }) => ({ teamId }),
  "teams.create": () => ({ team_alias: `made-${randomUUID()}` }),
  "teams.update": ({ teamId }) => ({ teamId, changes: { team_alias: `made-${randomUUID()}` } }),
  "teams.delete": ({ teamId }) => ({ teamId }),
  "users.invite": () => ({ email: `made-${randomUUID()}@example.com`, role: "internal_user" }),
  "users.inviteAgain": ({ member }) => ({ userId: member }),
  "users.setRole": ({ member }) => ({ userId: member, role: "internal_user" }),
  "users.delete": ({ member }) => ({ userId: member }),
};

let app: TestApp;
let queue: Queue;
const home = makeLocalHome();
beforeAll(async () => {
  app = await startApp(
    'general_settings: { private_destination_hosts: ["127.0.0.1"] }\nretention: { content_hours: 1 }',
  );
  queue = await home.open({ keepsContent: true });
  await deliveryState.get().stop(0);
  deliveryState.set(makeTestDelivery(queue));
  portalSettingsState.set({ secret: "secret of the sessions of the tests", url: null, oidc: null });
});
afterAll(async () => {
  await app.close();
  await home.remove();
});

async function makeWorld(): Promise<World> {
  const [admin, member] = [await makeUser(app.db), await makeUser(app.db)];
  const members = { [admin]: "admin", [member]: "user" };
  const { team_id: teamId } = await makeTeam(app.db, {
    members_with_roles: Object.entries(members).map(([user_id, role]) => ({ user_id, role })),
  });
  const { token } = await makeKey(app.db, { team_id: teamId });
  await addCallback(app.db, masterActor, {
    ...{ teamId, callback_name: "langfuse", callback_type: "success", callback_vars: callbackVars },
  });
  const [callback] = await listTeamCallbacks(app.db, masterActor, teamId);
  const { callback_id: callbackId, version } = z.object({ callback_id: z.string(), version: z.int() }).parse(callback);
  const recordId = `record-${randomUUID()}`;
  const nowMs = Date.now();
  await queue.append([
    {
      ...{ recordId, callId: recordId, teamId, keyHash: null, createdAtMs: nowMs },
      contents: [{ body: "{}", callbackIds: [callbackId] }],
    },
  ]);
  // Only what is dead is sent again or given up.
  const [claimed] = await queue.claim({ callbackId, limit: 1, bytesMax: 1e6, leaseMs: 1, nowMs });
  const { deliveryId } = z.object({ deliveryId: z.int() }).parse(claimed);
  await queue.settle([{ deliveryId, state: "dead", status: 400, message: "no" }], nowMs);
  return { teamId, admin, member, key: token, callbackId, version, recordId };
}

/** An input with every foreign name in it, also inside of what it holds; names that it has stay. */
function injectInto(input: Record<string, unknown>): Record<string, unknown> {
  const own = Object.entries(input).map(([name, value]): [string, unknown] => [
    name,
    name === "changes" || name === "fields" ? injectInto(z.record(z.string(), z.unknown()).parse(value)) : value,
  ]);
  return { ...Object.fromEntries(foreign.map((name) => [name, canary])), ...Object.fromEntries(own) };
}

/** The code of the error that a procedure throws; OK where it answers. */
async function run(path: string, actor: Actor, input: unknown): Promise<string> {
  const session = { id: "none", userId: actor.userId ?? "" };
  const context: Context = { db: app.db, actor, allowedRoutes: [], session, requestId: "test" };
  const caller: unknown = createCaller(appRouter)(context);
  const procedure = path.split(".").reduce((at, name) => (isCallable(at) ? Reflect.get(at, name) : undefined), caller);
  if (typeof procedure !== "function") throw new Error(`There is no procedure ${path}.`);
  try {
    await Reflect.apply(procedure, undefined, [input]);
    return "OK";
  } catch (error) {
    if (error instanceof TRPCError) return error.code;
    throw error;
  }
}

function asUser(userId: string): Actor {
  return { role: "internal_user", userId, keyHash: null, teamId: null, changedBy: null };
}

test("no mutation takes a column that is none of its fields, whoever calls", async () => {
  const accepted = new Set<string>();
  for (const [path, inputOf] of Object.entries(inputs)) {
    for (const role of ["team_admin", "proxy_admin"] as const) {
      const world = await makeWorld();
      const actor = role === "team_admin" ? asUser(world.admin) : masterActor;
      const code = await run(path, actor, injectInto(inputOf(world)));
      expect([path, code]).not.toEqual([path, "INTERNAL_SERVER_ERROR"]);
      if (code === "OK") accepted.add(path);
    }
  }
  // What is refused for another reason proves nothing about its fields.
  expect(Object.keys(inputs).filter((path) => !accepted.has(path) && !path.startsWith("account."))).toEqual([
    "users.inviteAgain",
  ]);
  expect(await readEverything(app.db)).not.toContain(canary);
}, 120_000);

test("what another team has is not changed by naming it beside one's own team", async () => {
  const other = await makeWorld();
  const before = await stateOf(other);
  for (const [path, inputOf] of Object.entries(inputs)) {
    const own = await makeWorld();
    // Each of the other team's ids alone, so that no other one is what the call is refused for.
    for (const name of ["key", "callbackId", "member", "recordId"] as const) {
      await run(path, asUser(own.admin), inputOf({ ...own, [name]: other[name] }));
    }
    const { teamId, ...input } = inputOf(own);
    for (const [field, held] of Object.entries(input)) {
      if (!isRecord(held)) continue;
      await run(path, asUser(own.admin), { teamId, ...input, [field]: { ...held, team_id: other.teamId } });
    }
    expect([path, await stateOf(other)]).toEqual([path, before]);
  }
}, 120_000);

test("every mutation was tried", () => {
  const procedures = z.record(z.string(), z.unknown()).parse(Reflect.get(appRouter, "_def").procedures);
  const mutations = Object.entries(procedures).filter(([, procedure]) => {
    const definition: unknown = typeof procedure === "function" ? Reflect.get(procedure, "_def") : null;
    return z.object({ type: z.string() }).parse(definition).type === "mutation";
  });
  expect(mutations.map(([path]) => path).sort()).toEqual(Object.keys(inputs).sort());
});

/** Everything of a team, and of the people in it. */
async function stateOf({ teamId, admin, member, recordId }: World): Promise<string> {
  const where = { teamId };
  const state = [
    await app.db.team.findMany({ where: { id: teamId } }),
    await app.db.teamMember.findMany({ where, orderBy: { userId: "asc" } }),
    await app.db.key.findMany({ where, orderBy: { token: "asc" } }),
    await app.db.callback.findMany({ where, orderBy: { id: "asc" } }),
    await app.db.user.findMany({ where: { id: { in: [admin, member] } }, orderBy: { id: "asc" } }),
    await queue.find({ by: "record", id: recordId }),
  ];
  return JSON.stringify(state, (_name, value: unknown) => (typeof value === "bigint" ? value.toString() : value));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isCallable(value: unknown): value is object {
  return (typeof value === "object" && value !== null) || typeof value === "function";
}
