import { createHash } from "node:crypto";
import OpenAI from "openai";
import { expect, fakeModelConfig, test } from "../fixtures.ts";
import { startFakeLangfuse } from "../fakes/langfuse.ts";
import type { SluiceProcess } from "../sluice-process.ts";
import { langfuseVars, makeKey, makeProject, mustAdmin, until } from "./admin.ts";

const own = makeProject("own");

test.slow();

type Answer = { status: number; text: string; body: Record<string, unknown> };

/** Calls a management route with a virtual key. */
async function as(
  sluice: SluiceProcess,
  key: string,
  [method, path, body]: [string, string, object?],
): Promise<Answer> {
  const response = await fetch(`${sluice.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const parsed: unknown = JSON.parse(text);
  return { status: response.status, text, body: typeof parsed === "object" && parsed !== null ? { ...parsed } : {} };
}

async function makeUser(sluice: SluiceProcess, user_id: string, user_role: string): Promise<string> {
  const { key } = await mustAdmin(sluice, "/user/new", { user_id, user_role });
  if (typeof key !== "string") throw new Error("/user/new gave no key.");
  return key;
}

test("a team's administrator directs its logs and makes its keys; others of every role change nothing and learn nothing", async ({
  startSluice,
  fakes,
}) => {
  const langfuse = await startFakeLangfuse({ projects: [own] });
  const sluice = await startSluice({ config: fakeModelConfig(fakes) });
  const admin = await makeUser(sluice, "ada", "internal_user");
  const others = {
    viewer: await makeUser(sluice, "vera", "internal_user_viewer"),
    member: await makeUser(sluice, "mia", "internal_user"),
    foreign: await makeUser(sluice, "fay", "internal_user"),
    proxyViewer: await makeUser(sluice, "pia", "proxy_admin_viewer"),
  };
  await mustAdmin(sluice, "/team/new", {
    team_id: "own",
    members_with_roles: [
      { role: "admin", user_id: "ada" },
      { role: "admin", user_id: "vera" },
      { role: "user", user_id: "mia" },
    ],
  });
  await mustAdmin(sluice, "/team/new", { team_id: "other", members_with_roles: [{ role: "admin", user_id: "fay" }] });

  const callback = { callback_name: "langfuse", callback_vars: langfuseVars(langfuse.url, own) };
  const attach = (team: string): [string, string, object] => ["POST", `/team/${team}/callback`, callback];
  for (const [name, key] of Object.entries(others)) {
    expect([401, 403], name).toContain((await as(sluice, key, attach("own"))).status);
  }
  const [foreign, missing] = [
    await as(sluice, others.foreign, attach("own")),
    await as(sluice, others.foreign, attach("no")),
  ];
  expect(foreign).toMatchObject({ status: 403, body: { detail: "You do not have access to this team" } });
  expect(missing.text).toBe(foreign.text);
  const reference = { ...callback.callback_vars, langfuse_secret_key: "os.environ/LANGFUSE_SECRET_KEY" };
  const named = await as(sluice, admin, ["POST", "/team/own/callback", { ...callback, callback_vars: reference }]);
  expect(named.status).toBe(400);

  expect((await as(sluice, admin, attach("own"))).status).toBe(200);
  const made = await as(sluice, admin, ["POST", "/key/service-account/generate", { team_id: "own" }]);
  expect(made.status, made.text).toBe(200);
  const apiKey = String(made.body.key);
  await new OpenAI({ apiKey, baseURL: `${sluice.url}/v1`, maxRetries: 0 }).chat.completions.create({
    model: "fake-model",
    messages: [{ role: "user", content: "by the team's key" }],
  });
  await until("the log arrived", () => langfuse.project(own.id).spans.length === 1);

  expect((await as(sluice, others.viewer, ["GET", "/team/own/callback"])).text).not.toContain(own.secretKey);
  expect((await as(sluice, others.proxyViewer, ["GET", "/team/info?team_id=own"])).status).toBe(200);
  expect((await as(sluice, apiKey, ["POST", "/key/update", { key: apiKey, max_budget: 1 }])).status).toBe(401);
  const asHash = createHash("sha256").update(apiKey).digest("hex");
  expect((await as(sluice, asHash, ["GET", "/key/info"])).status).toBe(401);
  await langfuse.close();
});

test("a team that must log is logged whatever its keys and requests say, until a proxy administrator ends it", async ({
  startSluice,
  fakes,
}) => {
  const langfuse = await startFakeLangfuse({ projects: [own] });
  const sluice = await startSluice({ config: fakeModelConfig(fakes) });
  const ada = await makeUser(sluice, "ada", "internal_user");
  const members_with_roles = [{ role: "admin", user_id: "ada" }];
  await mustAdmin(sluice, "/team/new", { team_id: "own", must_log: true, members_with_roles });
  const callback = { callback_name: "langfuse", callback_vars: langfuseVars(langfuse.url, own) };
  await mustAdmin(sluice, "/team/own/callback", callback);
  const apiKey = await makeKey(sluice, { team_id: "own", metadata: { logging: [] } });
  const ask = (content: string) =>
    fetch(`${sluice.url}/v1/chat/completions`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${apiKey}`,
        "content-type": "application/json",
        "x-litellm-disable-callbacks": "langfuse",
      },
      body: JSON.stringify({ model: "fake-model", "no-log": true, messages: [{ role: "user", content }] }),
    });
  const answer = await ask("not without a log");
  expect(answer.headers.get("x-sluice-log")).toMatch(/^langfuse=queued; .*must-log/);
  await until("the log arrived", () => langfuse.project(own.id).spans.length === 1);
  expect((await as(sluice, ada, ["POST", "/team/own/disable_logging"])).status).toBe(400);
  expect((await as(sluice, ada, ["POST", "/team/update", { team_id: "own", must_log: false }])).status).toBe(403);
  await mustAdmin(sluice, "/team/update", { team_id: "own", must_log: false });
  expect((await ask("the key opted out")).headers.get("x-sluice-log")).toMatch(/^disabled/);
  expect((await as(sluice, ada, ["POST", "/team/own/disable_logging"])).status).toBe(200);
  await langfuse.close();
});
