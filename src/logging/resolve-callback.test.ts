import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { configState } from "#lib/config.ts";
import { keyringState } from "#lib/seal.ts";
import { answerDelivery } from "#logging/answer-delivery.ts";
import { CallbackVars } from "#logging/callback.ts";
import { sealVars } from "#logging/callback-vars.ts";
import { operatorVarsState, resolveCallback } from "#logging/resolve-callback.ts";
import { startApp, type TestApp } from "#testing/app.ts";

let app: TestApp;
const env = {
  LANGFUSE_PUBLIC_KEY: "pk-operator",
  LANGFUSE_SECRET_KEY: "sk-operator",
  LANGFUSE_HOST: "https://operator.example.com",
  LANGFUSE_OTHER: "from-env",
  LANGFUSE_EMPTY: "",
  SLUICE_MASTER_KEY: "canary",
};

beforeAll(async () => {
  app = await startApp();
  operatorVarsState.set({ local_files: { local_files_dir: "/data/logs" } });
});

afterAll(() => app.close());

async function makeTeamRow(): Promise<string> {
  const team = await app.db.team.create({ data: { id: `team-${randomUUID()}` }, select: { id: true } });
  return team.id;
}

/** Stores a callback of a team as a write does, and gives its id. */
async function store(vars: CallbackVars, callbackName = "langfuse"): Promise<string> {
  const teamId = await makeTeamRow();
  const id = randomUUID();
  const sealed = sealVars(keyringState.get(), { callbackId: id, callbackName, scope: `team:${teamId}` }, vars);
  await app.db.callback.create({ data: { id, teamId, position: 0, callbackName, callbackVars: sealed } });
  return id;
}

async function resolved(vars: CallbackVars, environment: Record<string, string | undefined> = env, name = "langfuse") {
  return resolveCallback(app.db, await store(vars, name), environment);
}

/** vitest's matchers are typed as any. */
function containing(text: string): unknown {
  return expect.stringContaining(text);
}

const own = { langfuse_public_key: "pk-team", langfuse_secret_key: "sk-team" };

describe("a callback of a team", () => {
  test("brings its own credentials to its own host, through the guard", async () => {
    const vars = { ...own, langfuse_host: "https://team.example.com" };
    expect(await resolved(vars)).toEqual({ state: "ready", callbackName: "langfuse", vars, reach: "guarded" });
  });

  test("waits where a stored variable is not the team's to use, such as a file of this machine", async () => {
    const found = await resolved({ gcs_path_service_account: "/etc/passwd" }, env, "gcs_bucket");
    expect(found).toMatchObject({ state: "misconfigured", message: containing("service_account_dirs") });
    expect(
      await resolved(
        { gcs_path_service_account: "os.environ/GCS_ACCOUNT" },
        { GCS_ACCOUNT: "/key.json" },
        "gcs_bucket",
      ),
    ).toMatchObject({ state: "ready", vars: { gcs_path_service_account: "/key.json" } });
  });

  test("takes the host from the environment", async () => {
    expect(await resolved({ ...own, langfuse_host: "" })).toMatchObject({
      vars: { ...own, langfuse_host: "https://operator.example.com" },
      reach: "operator",
    });
  });

  test("without credentials uses the operator's, at the operator's host alone", async () => {
    expect(await resolved({ turn_off_message_logging: true })).toMatchObject({
      vars: {
        langfuse_public_key: "pk-operator",
        langfuse_secret_key: "sk-operator",
        langfuse_host: env.LANGFUSE_HOST,
      },
    });
    const elsewhere = await resolved({ langfuse_host: "https://team.example.com" });
    expect(elsewhere).toEqual({
      state: "ready",
      callbackName: "langfuse",
      vars: { langfuse_host: "https://team.example.com" },
      reach: "guarded",
    });
  });

  test.each<[CallbackVars]>([
    [{ langfuse_public_key: "pk-team" }],
    [{ langfuse_secret_key: "sk-team" }],
    [{ langfuse_secret: "sk-team" }],
  ])("never has half a pair completed by the operator's: %j", async (half) => {
    expect(JSON.stringify(await resolved(half))).not.toMatch(/(pk|sk)-operator/);
  });

  test("has its references resolved at use", async () => {
    const vars = { ...own, langfuse_secret_key: "os.environ/LANGFUSE_OTHER" };
    expect(await resolved(vars)).toMatchObject({ vars: { langfuse_secret_key: "from-env" } });
  });

  test.each(["LANGFUSE_UNSET", "LANGFUSE_EMPTY"])("waits where %s is not set, and says so", async (name) => {
    const found = await resolved({ ...own, langfuse_secret_key: `os.environ/${name}` });
    expect(found).toMatchObject({ state: "misconfigured", message: containing(name) });
  });

  test("never reaches our own variables, and no built-in property is a variable", async () => {
    app.configure("general_settings: {env_references: ['*']}");
    const found = await resolved({ ...own, langfuse_host: "os.environ/SLUICE_MASTER_KEY" });
    expect(found).toMatchObject({ state: "misconfigured", message: containing("SLUICE_MASTER_KEY") });
    expect(JSON.stringify(found)).not.toContain("canary");
    expect(await resolved({ ...own, langfuse_host: "os.environ/constructor" })).toMatchObject({
      state: "misconfigured",
    });
    app.configure("{}");
  });

  test("waits where its target was changed behind the secrets' back", async () => {
    const id = await store({ ...own, langfuse_host: "https://team.example.com" });
    const row = await app.db.callback.findUniqueOrThrow({ where: { id } });
    const changed = { ...CallbackVars.parse(row.callbackVars), langfuse_host: "https://evil.example.com" };
    await app.db.callback.update({ where: { id }, data: { callbackVars: changed } });
    expect(await resolveCallback(app.db, id, env)).toMatchObject({
      state: "misconfigured",
      message: containing("secrets"),
    });
  });

  test("is misconfigured with an unknown name or one of the operator's, and gone when it was deleted", async () => {
    expect(await resolved({}, env, "nobody")).toMatchObject({ state: "misconfigured" });
    expect(await resolved({ local_files_dir: "/etc" }, env, "local_files")).toMatchObject({ state: "misconfigured" });
    expect(await resolveCallback(app.db, randomUUID(), env)).toEqual({ state: "gone" });
  });
});

describe("a callback of config.yaml", () => {
  const yaml = `
litellm_settings:
  success_callback: [langfuse, local_files]
  default_team_settings:
    - {team_id: "a:b", success_callback: [langfuse], langfuse_public_key: pk-config, langfuse_secret: sk-config}
    - {team_id: plain, success_callback: [langfuse]}
    - {team_id: unset, success_callback: [langfuse], langfuse_public_key: os.environ/UNSET_1, langfuse_secret: os.environ/UNSET_2}
`;

  beforeAll(() => void app.configure(yaml));

  function configured(id: string, environment: Record<string, string | undefined> = env) {
    return resolveCallback(app.db, id, environment);
  }

  test("global: from the environment, or from what the process gives", async () => {
    expect(await configured("config:global:langfuse")).toMatchObject({
      reach: "operator",
      vars: { langfuse_public_key: "pk-operator", langfuse_secret_key: "sk-operator" },
    });
    expect(await configured("config:global:local_files")).toMatchObject({ vars: { local_files_dir: "/data/logs" } });
  });

  test("of a team: its own pair whole, or the environment's", async () => {
    const found = await configured("config:team:a:b:langfuse");
    expect(found).toMatchObject({
      vars: { langfuse_public_key: "pk-config", langfuse_secret: "sk-config" },
      reach: "operator",
    });
    expect(JSON.stringify(found)).not.toMatch(/(pk|sk)-operator/);
    expect(await configured("config:team:plain:langfuse")).toMatchObject({
      vars: { langfuse_public_key: "pk-operator" },
    });
  });

  test("of a team whose variables are not set: waits, and never lands in the operator's project", async () => {
    expect(await configured("config:team:unset:langfuse")).toMatchObject({
      state: "misconfigured",
      message: containing("langfuse_public_key"),
    });
  });

  test("is gone when the file does not list it any more", async () => {
    for (const id of ["config:global:otel", "config:team:plain:local_files", "config:team:nobody:langfuse"]) {
      expect(await configured(id), id).toEqual({ state: "gone" });
    }
    app.configure("litellm_settings: {success_callback: [local_files]}");
    expect(await configured("config:global:langfuse")).toEqual({ state: "gone" });
    app.configure(yaml);
  });
});

describe("the redaction that holds now", () => {
  test("is that of entry, key and team, also where another level delivers by now", async () => {
    const teamId = await makeTeamRow();
    await app.db.team.update({ where: { id: teamId }, data: { redaction: "content", loggingState: "disabled" } });
    const callbackId = randomUUID();
    await app.db.callback.create({
      data: {
        id: callbackId,
        teamId,
        position: 0,
        callbackName: "langfuse",
        callbackVars: { turn_off_message_logging: "false", redact_classes: "tags" },
      },
    });
    const { redaction } = answerDelivery(app.db, env);
    expect(await redaction({ callbackId, keyHash: null, teamId })).toEqual({ level: "off", classes: ["tags"] });
    const elsewhere = { callbackId: "config:global:langfuse", keyHash: null, teamId };
    expect(await redaction(elsewhere)).toEqual({ level: "content", classes: [] });
    const nobody = { ...elsewhere, keyHash: "no-such-key", teamId: null };
    expect(await redaction(nobody)).toEqual({ level: "off", classes: [] });
  });
});

describe("the operator's default tags of Langfuse", () => {
  const given = { ...own, langfuse_host: "https://team.example.com" };

  test("reach every Langfuse callback, and a stored variable of that name is no substitute", async () => {
    const config = configState.get();
    const forged = { ...given, langfuse_default_tags: ["forged"], langfuse_proxy_base_url: "forged" };
    expect(await resolved(forged)).toMatchObject({ state: "ready", vars: given });
    expect(JSON.stringify(await resolved(forged))).not.toContain("forged");
    configState.set({
      ...config,
      litellm_settings: { ...config.litellm_settings, langfuse_default_tags: ["cache_hit"] },
    });
    try {
      const environment = { ...env, PROXY_BASE_URL: "https://gateway.example" };
      for (const name of ["langfuse", "langfuse_otel"]) {
        expect(await resolved(forged, environment, name)).toMatchObject({
          state: "ready",
          vars: { ...given, langfuse_default_tags: ["cache_hit"], langfuse_proxy_base_url: "https://gateway.example" },
        });
      }
    } finally {
      configState.set(config);
    }
  });
});
