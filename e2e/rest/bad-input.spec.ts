import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, fakeModelConfig, test } from "../fixtures.ts";
import type { SluiceProcess } from "../sluice-process.ts";
import { admin, makeKey, mustAdmin } from "./admin.ts";

/** Sends a call of a model with any headers and body, as a broken client would. */
async function call(
  sluice: SluiceProcess,
  headers: Record<string, string>,
  body: string,
): Promise<{ status: number; error: Record<string, unknown>; headers: Headers }> {
  const response = await fetch(`${sluice.url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body,
  });
  const json: unknown = await response.json();
  const error = typeof json === "object" && json !== null && "error" in json ? json.error : null;
  if (typeof error !== "object" || error === null) throw new Error(`No envelope: ${JSON.stringify(json)}`);
  return { status: response.status, error: { ...error }, headers: response.headers };
}

/** How a server that could not start ended, and what it said. */
type Refusal = { code: number | null; text: string };

async function startAndFail(env: Record<string, string>): Promise<Refusal> {
  const child = spawn(process.execPath, ["src/server.ts"], {
    cwd: join(import.meta.dirname, "../.."),
    env: { NODE_ENV: "production", PATH: process.env.PATH ?? "", ...env },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let text = "";
  child.stderr.on("data", (chunk: Buffer) => (text += chunk.toString()));
  await once(child, "close");
  return { code: child.exitCode, text };
}

const hello = JSON.stringify({ model: "fake-model", messages: [{ role: "user", content: "hello" }] });

test.describe("a call that cannot be answered gets the envelope, its status and a call id", () => {
  const bearer = (key: string): Record<string, string> => ({ authorization: `Bearer ${key}` });

  test("keys", async ({ sluice }) => {
    const none = await call(sluice, {}, hello);
    expect(none).toMatchObject({ status: 401, error: { type: "auth_error", code: "401" } });
    expect(none.error.message).toContain("No api key passed in.");
    expect(none.headers.get("x-litellm-call-id")).toBeTruthy();

    const noPrefix = await call(sluice, { authorization: "sk-1234567890" }, hello);
    expect(noPrefix.error.message).toContain("Ensure Key has `Bearer ` prefix.");

    const foreign = await call(sluice, bearer("pk-0123456789abcdef"), hello);
    expect(foreign.error.message).toContain("LiteLLM Virtual Key expected. Received=pk-0****cdef");
    expect(foreign.error.message).not.toContain("pk-0123456789");

    const unknown = await call(sluice, bearer("sk-not-a-key-0123456789"), hello);
    expect(unknown).toMatchObject({ status: 401, error: { type: "token_not_found_in_db", param: "key" } });
    expect(unknown.error.message).not.toContain("sk-not-a-key");
    for (const malformed of ["%", "%E0%A4", "%ZZ", `sk-${"x".repeat(10_000)}`, "sk-' OR 1=1 --"]) {
      expect((await call(sluice, bearer(malformed), hello)).status).toBe(401);
    }
  });

  test("expired and blocked keys", async ({ sluice }) => {
    const expired = await makeKey(sluice, { duration: "1s" });
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    const late = await call(sluice, bearer(expired), hello);
    expect(late).toMatchObject({ status: 401, error: { type: "expired_key" } });
    const blocked = await makeKey(sluice, { blocked: true });
    expect((await call(sluice, bearer(blocked), hello)).error.message).toContain("Key is blocked.");
  });

  test("models and bodies", async ({ sluice }) => {
    const key = bearer(await makeKey(sluice, {}));
    const unknown = await call(sluice, key, hello.replace("fake-model", "no-such-model"));
    expect(unknown).toMatchObject({ status: 400, error: { type: "invalid_request_error", param: "model" } });
    expect(unknown.error.message).toContain("Invalid model name passed in model=no-such-model. Call `/v1/models`");

    const broken = await call(sluice, key, '{"model": "fake-model", ');
    expect(broken).toMatchObject({ status: 400, error: { type: "invalid_request_error" } });
    for (const body of ["[]", "null", '"text"', "{}", '{"model":"fake-model"}', '{"model":1,"messages":[]}']) {
      expect((await call(sluice, key, body)).status, body).toBe(400);
    }
    const deep = `{"model":"fake-model","messages":[${'{"content":['.repeat(20_000)}${"]}".repeat(20_000)}]}`;
    expect((await call(sluice, key, deep)).status).toBe(400);

    const huge = JSON.stringify({
      model: "fake-model",
      messages: [{ role: "user", content: "x".repeat(21 * 1024 * 1024) }],
    });
    const large = await call(sluice, key, huge);
    expect(large).toMatchObject({ status: 413, error: { type: "invalid_request_error", code: "413" } });
    expect(large.error.message).toContain("20 MB");
  });

  test("a key that may not use a model", async ({ sluice }) => {
    const key = bearer(await makeKey(sluice, { models: ["another-model"] }));
    const refused = await call(sluice, key, hello);
    expect(refused).toMatchObject({ status: 403, error: { type: "key_model_access_denied", param: "model" } });
  });

  test("upstream errors keep their status and words", async ({ sluice }) => {
    const key = bearer(await makeKey(sluice, {}));
    for (const [behaviour, status, className] of [
      ["error-401", 401, "AuthenticationError"],
      ["error-429", 429, "RateLimitError"],
      ["error-500", 500, "InternalServerError"],
      ["error-400-echo", 400, "BadRequestError"],
      ["break-at-once", 500, "APIConnectionError"],
    ] as const) {
      for (const stream of [false, true]) {
        const body = JSON.stringify({
          model: "fake-model",
          stream,
          messages: [{ role: "user", content: `[[${behaviour}]] hello` }],
        });
        const answer = await call(sluice, key, body);
        expect(answer.status, behaviour).toBe(status);
        expect(answer.error.message).toContain(`litellm.${className}`);
        expect(answer.error.message).toContain("OpenAIException");
        expect(answer.headers.get("x-sluice-log")).toBe("none");
      }
    }
  });
});

test("management refuses what it does not know, and keeps nothing of it", async ({ sluice }) => {
  await mustAdmin(sluice, "/team/new", { team_id: "strict" });
  const path = "/team/strict/callback";
  const vars = { langfuse_public_key: "pk", langfuse_secret_key: "sk_" };
  const before = await admin(sluice, path);
  const cases: [object, number, string][] = [
    [{ callback_name: "langfuse-typo", callback_vars: vars }, 400, "langfuse"],
    [{ callback_name: "langfuse", callback_vars: { ...vars, langfuse_foo: "x" } }, 422, "langfuse_foo"],
    [{ callback_name: "langfuse", callback_vars: { langfuse_public_key: "pk" } }, 400, "langfuse_secret_key"],
    [{ callback_name: "langfuse", callback_type: "all", callback_vars: vars }, 422, "callback_type"],
    [{ callback_name: "langfuse" }, 422, "callback_vars"],
    [
      { callback_name: "langfuse", callback_vars: { ...vars, langfuse_host: "http://169.254.169.254/" } },
      400,
      "private_destination_hosts",
    ],
    [
      { callback_name: "langfuse", callback_vars: { ...vars, langfuse_secret_key: "os.environ/DATABASE_URL" } },
      400,
      "DATABASE_URL",
    ],
    [{ callback_name: "local_files", callback_vars: { local_files_dir: "/etc" } }, 400, "local_files"],
  ];
  for (const [body, status, says] of cases) {
    const answer = await admin(sluice, path, body);
    expect(answer.status, JSON.stringify(body)).toBe(status);
    expect(JSON.stringify(answer.body)).toContain(says);
    expect(JSON.stringify(answer.body)).not.toContain("sk_");
  }
  expect(await admin(sluice, path)).toEqual(before);
  expect(
    (await admin(sluice, "/team/nobody/callback", { callback_name: "langfuse", callback_vars: vars })).status,
  ).toBe(400);
  expect((await admin(sluice, "/team/nobody/callback")).status).toBe(404);
  expect((await admin(sluice, "/team/nobody/disable_logging", {})).status).toBe(404);
  const stranger = await fetch(`${sluice.url}/key/generate`, { method: "POST" });
  expect(stranger.status).toBe(401);
});

test("a server that cannot start says everything that is wrong, and where", async ({ fakes }) => {
  const folder = await mkdtemp(join(tmpdir(), "sluice-e2e-"));
  const config = join(folder, "config.yaml");
  await writeFile(
    config,
    "model_list:\n  - model_name: a\n    litellm_params:\n      model: nobody/a\n      api_key: sk-secret-of-the-config\nlitellm_settings:\n  turn_off_message_logging: perhaps\n",
  );
  const start = (env: Record<string, string>): Promise<Refusal> =>
    startAndFail({ SLUICE_DATA_DIR: join(folder, "data"), ...env });
  const badConfig = await start({ SLUICE_CONFIG: config });
  expect(badConfig.code).toBe(1);
  expect(badConfig.text).toContain("config.yaml:7");
  expect(badConfig.text).toContain("turn_off_message_logging");
  expect(badConfig.text).not.toContain("sk-secret-of-the-config");
  const missing = await start({ SLUICE_CONFIG: join(folder, "missing.yaml") });
  expect(missing).toMatchObject({ code: 1 });
  expect(missing.text).toContain("missing.yaml");
  const badSettings = await start({ PORT: "many", SLUICE_SHUTDOWN_SECONDS: "soon", SLUICE_ENCRYPTION_KEY: "short" });
  expect(badSettings.code).toBe(1);
  for (const name of ["PORT", "SLUICE_SHUTDOWN_SECONDS", "SLUICE_ENCRYPTION_KEY"])
    expect(badSettings.text).toContain(name);
  await writeFile(config, JSON.stringify(fakeModelConfig(fakes)));
  const noKeys = await start({ SLUICE_CONFIG: config, DATABASE_URL: "postgres://nobody@127.0.0.1:1/none" });
  expect(noKeys.text).toContain("SLUICE_MASTER_KEY is missing");
  expect(noKeys.text).toContain("SLUICE_ENCRYPTION_KEY is missing");
  await rm(folder, { recursive: true, force: true });
});

test("a second server on one data directory is refused with a clear message", async ({ sluice }) => {
  const refusal = await startAndFail({ SLUICE_DATA_DIR: sluice.dataDir, PORT: "0" });
  expect(refusal.code).toBe(1);
  expect(refusal.text).toContain("Another Sluice server");
  expect(refusal.text).toContain(sluice.dataDir);
});
