import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { POST as BLOCK } from "#app/(rest)/key/block/route.ts";
import { POST as DELETE } from "#app/(rest)/key/delete/route.ts";
import { POST as GENERATE } from "#app/(rest)/key/generate/route.ts";
import { POST as REGENERATE } from "#app/(rest)/key/regenerate/route.ts";
import { POST as UNBLOCK } from "#app/(rest)/key/unblock/route.ts";
import { POST as UPDATE } from "#app/(rest)/key/update/route.ts";
import { startApp, type TestAnswer, type TestApp } from "#testing/app.ts";
import { makeKey, makeTeam, makeUser } from "#testing/make.ts";

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.close());

const routes = {
  generate: GENERATE,
  update: UPDATE,
  delete: DELETE,
  regenerate: REGENERATE,
  block: BLOCK,
  unblock: UNBLOCK,
} as const;

function call(name: keyof typeof routes, key: string, body: object): Promise<TestAnswer> {
  return app.call(routes[name], { path: `/key/${name}`, body, key });
}

async function made(answer: Promise<TestAnswer>): Promise<{ key: string; token: string }> {
  const { status, text, body } = await answer;
  expect(status, text).toBe(200);
  return z.object({ key: z.string(), token: z.string() }).parse(body);
}

async function refused(answer: Promise<TestAnswer>, status: number, param?: string): Promise<void> {
  const got = await answer;
  expect(got.status, got.text).toBe(status);
  if (param !== undefined) expect(got.body).toMatchObject({ error: { param } });
}

const callback = {
  callback_name: "langfuse",
  callback_vars: { langfuse_public_key: "pk-lf-1", langfuse_secret_key: "sk-lf-1" },
};

describe("an internal user", () => {
  test("makes, changes, regenerates and deletes keys of his own", async () => {
    const user_id = await makeUser(app.db);
    const { key } = await makeKey(app.db, { user_id });
    const own = await made(call("generate", key, {}));
    expect((await call("update", key, { key: own.key, key_alias: `own-${user_id}` })).body).toMatchObject({ user_id });
    const next = await made(call("regenerate", key, { key: own.key }));
    expect((await call("delete", key, { keys: [next.key] })).status).toBe(200);
  });

  test("makes no key of another user, of nobody, or of a team that he is not in, be it there or not", async () => {
    const user_id = await makeUser(app.db);
    const { key } = await makeKey(app.db, { user_id });
    for (const other of [await makeUser(app.db, "proxy_admin"), "default_user_id", "nobody"]) {
      await refused(call("generate", key, { user_id: other }), 403, "user_id");
      const own = await made(call("generate", key, {}));
      await refused(call("update", key, { key: own.key, user_id: other }), 403, "user_id");
    }
    const { team_id } = await makeTeam(app.db);
    const [foreign, missing] = [
      await call("generate", key, { team_id }),
      await call("generate", key, { team_id: "team-missing" }),
    ];
    expect(foreign.status).toBe(400);
    expect(foreign.text).toContain(`User=${user_id} not assigned to team=${team_id}`);
    expect(missing.text.replace("team-missing", team_id)).toBe(foreign.text);
    await refused(call("update", key, { key, team_id }), 403, "team_id");
  });

  test("gives no key more than the key that he uses has, and what he leaves out is taken from it", async () => {
    const user_id = await makeUser(app.db);
    const limits = { models: ["m1", "m2"], max_budget: 5, rpm_limit: 10, allowed_routes: ["/key/*", "/v1/models"] };
    const { key } = await makeKey(app.db, { user_id, duration: "1h", ...limits });
    const inherited = await call("generate", key, {});
    expect(inherited.body).toMatchObject(limits);
    expect(z.object({ expires: z.string() }).safeParse(inherited.body).success).toBe(true);
    await made(call("generate", key, { models: ["m1"], max_budget: 1, duration: "1m", allowed_routes: ["/key/info"] }));
    const own = await made(call("generate", key, {}));
    for (const [param, more] of [
      ["models", { models: ["m1", "m3"] }],
      ["models", { models: ["*"] }],
      ["max_budget", { max_budget: 5.01 }],
      ["rpm_limit", { rpm_limit: 11 }],
      ["duration", { duration: "2h" }],
      ["allowed_routes", { allowed_routes: ["/team/new"] }],
      ["allowed_routes", { key_type: "management" }],
      ["aliases", { aliases: { m1: "m3" } }],
      ["permissions", { permissions: { admin: true } }],
      ["organization_id", { organization_id: "o" }],
    ] as const) {
      await refused(call("generate", key, more), 403, param);
      await refused(call("update", key, { key: own.key, ...more }), 403, param);
      await refused(call("regenerate", key, { key: own.key, ...more }), 403, param);
    }
    for (const unlimited of [{ models: [] }, { max_budget: null }, { duration: null }, { allowed_routes: null }]) {
      await refused(call("update", key, { key: own.key, ...unlimited }), 403);
    }
    const wider = await makeKey(app.db, { user_id });
    await refused(call("regenerate", key, { key: wider.key }), 403);
  });

  test("does not lift what an administrator set on his key, and does not unblock it", async () => {
    const user_id = await makeUser(app.db);
    const { key } = await makeKey(app.db, { user_id });
    const limited = await makeKey(app.db, { user_id, max_budget: 1, models: ["m1"] });
    await refused(call("update", key, { key: limited.key, max_budget: 2 }), 403, "max_budget");
    await refused(call("update", key, { key: limited.key, models: [] }), 403, "models");
    expect((await call("update", key, { key: limited.key, max_budget: 0.5 })).status).toBe(200);
    expect((await call("block", key, { key: limited.key })).status).toBe(200);
    await refused(call("unblock", key, { key: limited.key }), 403);
    await refused(call("update", key, { key: limited.key, blocked: false }), 403, "blocked");
  });
});

describe("in a team", () => {
  let team_id: string;
  let admin: string;
  let member: string;
  let memberId: string;
  beforeEach(async () => {
    const adminId = await makeUser(app.db);
    memberId = await makeUser(app.db);
    const members_with_roles = [
      { role: "admin", user_id: adminId },
      { role: "user", user_id: memberId },
    ];
    ({ team_id } = await makeTeam(app.db, { members_with_roles, models: ["m1"], redaction: "content" }));
    admin = (await makeKey(app.db, { user_id: adminId })).key;
    member = (await makeKey(app.db, { user_id: memberId })).key;
  });

  async function permit(...team_member_permissions: string[]): Promise<void> {
    await app.db.team.update({ where: { id: team_id }, data: { extras: { team_member_permissions } } });
  }

  test("a member does with keys of the team what its permissions name, LiteLLM's where it names none", async () => {
    const own = await makeKey(app.db, { team_id, user_id: memberId });
    const deeds = {
      generate: { team_id },
      update: { key: own.key },
      regenerate: { key: own.key },
      delete: { keys: [own.key] },
    };
    for (const [name, body] of Object.entries(deeds)) {
      const answer = await app.call(routes[z.enum(["generate", "update", "regenerate", "delete"]).parse(name)], {
        path: `/key/${name}`,
        body,
        key: own.key,
      });
      expect(answer.status, name).toBe(401);
      expect(answer.body).toMatchObject({ error: { type: "team_member_permission_error", param: `/key/${name}` } });
    }
    await permit("/key/update", "/key/delete");
    await refused(call("generate", own.key, { team_id }), 401);
    expect((await call("update", own.key, { key: own.key })).status).toBe(200);
    const ofTeam = await makeKey(app.db, { team_id });
    await refused(call("update", own.key, { key: ofTeam.key }), 403);
    expect((await call("delete", own.key, { keys: [own.key] })).status).toBe(200);
  });

  test("a member makes and changes his key only so that it is more private", async () => {
    await permit("/key/generate", "/key/update");
    for (const [param, more] of [
      ["metadata.logging", { metadata: { logging: [callback] } }],
      ["metadata.logging", { metadata: { callback_settings: { success_callback: ["langfuse"], callback_vars: {} } } }],
      [
        "metadata.allow_client_message_redaction_opt_out",
        { metadata: { allow_client_message_redaction_opt_out: true } },
      ],
      ["redaction", { redaction: "off" }],
    ] as const) {
      await refused(call("generate", member, { team_id, ...more }), 403, param);
    }
    await made(call("generate", member, { team_id, redaction: "metadata_only" }));
    const out = await made(call("generate", member, { team_id, metadata: { logging: [] } }));
    await refused(call("update", member, { key: out.key, metadata: {} }), 403, "metadata.logging");
    const directed = await makeKey(app.db, { team_id, user_id: memberId, metadata: { logging: [callback] } });
    await refused(call("update", member, { key: directed.key, metadata: {} }), 403, "metadata.logging");
    const shown = [
      { ...callback, callback_vars: { langfuse_public_key: "***REDACTED***", langfuse_secret_key: "***REDACTED***" } },
    ];
    const same = await call("update", member, { key: directed.key, metadata: { logging: shown, purpose: "tests" } });
    expect(same.status, same.text).toBe(200);
    expect((await call("update", member, { key: directed.key, metadata: { logging: [] } })).status).toBe(200);
  });

  test("a member of a team that must log does not opt out", async () => {
    await permit("/key/generate");
    await app.db.team.update({ where: { id: team_id }, data: { mustLog: true } });
    await refused(call("generate", member, { team_id, metadata: { logging: [] } }), 403, "metadata.logging");
  });

  test("an administrator of the team directs its keys' logs, and names nothing of the operator's", async () => {
    const { key } = await made(
      call("generate", admin, { team_id, metadata: { logging: [callback] }, redaction: "off" }),
    );
    for (const vars of [
      { ...callback.callback_vars, langfuse_secret_key: "os.environ/LANGFUSE_SECRET_KEY" },
      { ...callback.callback_vars, langfuse_secret_key: " OS.environ/DATABASE_URL" },
    ]) {
      const metadata = { logging: [{ ...callback, callback_vars: vars }] };
      await refused(call("generate", admin, { team_id, metadata }), 400);
      await refused(call("update", admin, { key, metadata }), 400);
    }
    const file = { gcs_bucket_name: "b", gcs_path_service_account: "/etc/passwd" };
    const metadata = { logging: [{ callback_name: "gcs_bucket", callback_vars: file }] };
    await refused(call("generate", admin, { team_id, metadata }), 400);
  });

  test("an administrator of the team learns no key that acts as somebody else, and moves none out of his teams", async () => {
    const boss = await makeUser(app.db, "proxy_admin");
    const ofBoss = await makeKey(app.db, { team_id, user_id: boss });
    const ofTeam = await makeKey(app.db, { team_id });
    await refused(call("regenerate", admin, { key: ofBoss.key }), 403);
    await refused(call("generate", admin, { team_id, user_id: boss }), 403, "user_id");
    await refused(call("update", admin, { key: ofTeam.key, user_id: boss }), 403, "user_id");
    await refused(call("update", admin, { key: ofTeam.key, team_id: null }), 403, "team_id");
    const foreign = await makeTeam(app.db);
    await refused(call("update", admin, { key: ofTeam.key, team_id: foreign.team_id }), 403, "team_id");
    await refused(call("generate", admin, { team_id, models: ["m2"] }), 403, "models");
    await refused(call("generate", admin, { team_id, aliases: { m1: "m2" } }), 403, "aliases");
    expect((await call("block", admin, { key: ofBoss.key })).status).toBe(200);
    await made(call("regenerate", admin, { key: ofTeam.key }));
  });
});

test("what a proxy administrator makes for a team acts as nobody, and his own further keys get no more than the one in use", async () => {
  const user_id = await makeUser(app.db, "proxy_admin");
  const { team_id } = await makeTeam(app.db);
  const { key } = await makeKey(app.db, { user_id, allowed_routes: ["/key/generate"] });
  const ofTeam = await call("generate", key, { team_id, key_alias: `app-${randomUUID()}` });
  expect(ofTeam.body).toMatchObject({ user_id: null, allowed_routes: [] });
  expect((await call("generate", key, {})).body).toMatchObject({ user_id, allowed_routes: ["/key/generate"] });
  await refused(call("generate", key, { allowed_routes: ["management_routes"] }), 403, "allowed_routes");
});
