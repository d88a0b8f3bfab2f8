import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { GET } from "#app/(rest)/v1/logging/effective/route.ts";
import { POST as disable } from "#app/(rest)/team/[team_id]/disable_logging/route.ts";
import { startApp, type TestAnswer, type TestApp } from "#testing/app.ts";
import { makeKey, makeTeam } from "#testing/make.ts";

const path = "/v1/logging/effective";
const vars = {
  langfuse_public_key: "pk-lf-canary",
  langfuse_secret_key: "sk-lf-canary",
  langfuse_host: "https://logs.example.com/path?token=canary",
};
const langfuse = { callback_name: "langfuse", callback_type: "success", callback_vars: vars };
const open = "general_settings: { private_destination_hosts: ['logs.example.com'], lenient_callbacks: true }";
let app: TestApp;
beforeAll(async () => {
  app = await startApp();
});
beforeEach(() => {
  app.configure(open);
});
afterAll(() => app.close());

async function effective(fields: Record<string, unknown>): Promise<TestAnswer> {
  const { key } = await makeKey(app.db, fields);
  const answer = await app.call(GET, { path, key });
  expect(answer.status).toBe(200);
  expect(answer.text).not.toContain("canary");
  return answer;
}

test("a key's own callbacks: where to, on what, and who decided the redaction", async () => {
  const metadata = { logging: [langfuse, { ...langfuse, callback_vars: { turn_off_message_logging: true } }] };
  const { team_id } = await makeTeam(app.db, { redaction: "metadata_only", metadata: { logging: [langfuse] } });
  const answer = await effective({ team_id, metadata });
  expect(answer.body).toMatchObject({
    decided_by: "key",
    reason: null,
    must_log: false,
    callbacks: [
      {
        callback_name: "langfuse",
        fires_on: "success",
        redaction: "metadata_only",
        redaction_decided_by: "team",
        target: { langfuse_host: "https://logs.example.com" },
        enabled: true,
        reason: null,
      },
      { redaction: "content", redaction_decided_by: "callback", target: null },
    ],
  });
});

test("team, default_team_settings and global, each where the nearer ones are silent", async () => {
  app.configure(`
litellm_settings:
  success_callback: [local_files]
  turn_off_message_logging: true
  default_team_settings: [{ team_id: of-the-file, success_callback: [langfuse], turn_off_message_logging: false }]
general_settings: { private_destination_hosts: ['logs.example.com'], lenient_callbacks: true }
`);
  const { team_id } = await makeTeam(app.db, { metadata: { logging: [langfuse] } });
  expect((await effective({ team_id })).body).toMatchObject({
    decided_by: "team",
    callbacks: [{ redaction: "content", redaction_decided_by: "global" }],
  });
  expect((await effective({ team_id: "of-the-file" })).body).toMatchObject({
    decided_by: "default_team_settings",
    callbacks: [{ callback_name: "langfuse", redaction: "off", redaction_decided_by: "default_team_settings" }],
  });
  expect((await effective({})).body).toMatchObject({
    decided_by: "global",
    callbacks: [{ callback_name: "local_files", callback_id: "config:global:local_files" }],
  });
});

test("nothing, and why: disabled team, opted-out key, nobody said anything", async () => {
  const { team_id } = await makeTeam(app.db, { metadata: { logging: [langfuse] } });
  await app.call(disable, { path: `/team/${team_id}/disable_logging`, method: "POST", params: { team_id } });
  const cases: [Record<string, unknown>, string, string][] = [
    [{ team_id, metadata: { logging: [langfuse] } }, "team_disabled", "disabled"],
    [{ metadata: { logging: [] } }, "key_disabled", "opted out"],
    [{}, "global", "config.yaml sets none"],
    [{ metadata: { logging: [{ ...langfuse, callback_name: "nobody-knows" }] } }, "key", "None of the key's"],
  ];
  for (const [fields, decided_by, text] of cases) {
    const reason: unknown = expect.stringContaining(text);
    expect((await effective(fields)).body).toMatchObject({ decided_by, reason, callbacks: [] });
  }
});

test("what the key switched off, and what waits for a missing variable", async () => {
  const logging = [langfuse, { ...langfuse, callback_vars: { langfuse_secret_key: "os.environ/LANGFUSE_NOT_SET" } }];
  const off = await effective({ metadata: { logging, litellm_disabled_callbacks: ["langfuse"] } });
  expect(off.body).toMatchObject({ callbacks: [{ enabled: false }, { enabled: false }] });
  expect(off.text).toContain("litellm_disabled_callbacks");
  const waiting = await effective({ metadata: { logging } });
  expect(waiting.body).toMatchObject({ callbacks: [{ enabled: true }, { enabled: false }] });
  expect(waiting.text).toContain("LANGFUSE_NOT_SET");
});

test("an opt-out that must_log overrules", async () => {
  app.configure("general_settings: { must_log: true }\nlitellm_settings: { success_callback: [local_files] }");
  expect((await effective({ metadata: { logging: [] } })).body).toMatchObject({ decided_by: "global", must_log: true });
});

test("every key to the master key, its own to a virtual key, and of others not even whether they exist", async () => {
  const made = await makeKey(app.db, { metadata: { logging: [langfuse] } });
  const other = await makeKey(app.db);
  for (const named of [made.key, made.token]) {
    expect((await app.call(GET, { path: `${path}?key=${named}` })).body).toMatchObject({ decided_by: "key" });
    expect((await app.call(GET, { path: `${path}?key=${named}`, key: made.key })).status).toBe(200);
    const foreign = await app.call(GET, { path: `${path}?key=${named}`, key: other.key });
    const unknown = await app.call(GET, { path: `${path}?key=sk-nobody`, key: other.key });
    expect(foreign.status).toBe(403);
    expect(foreign.body).toEqual(unknown.body);
  }
  expect((await app.call(GET, { path: `${path}?key=sk-nobody` })).status).toBe(404);
  expect((await app.call(GET, { path })).body).toMatchObject({ decided_by: "global" });
  expect((await app.call(GET, { path, key: null })).status).toBe(401);
});
