import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseEnv } from "node:util";
import { expect, test } from "vitest";
import { readSettings, settingNames } from "#lib/env.ts";
import { splitMasterKeys } from "#lib/master-key.ts";

function problemsOf(env: Record<string, string>, args: string[] = []): string[] {
  try {
    readSettings(env, args);
  } catch (error) {
    return error instanceof Error ? error.message.split("\n") : [];
  }
  return [];
}

const defaults = {
  port: 4000,
  host: "127.0.0.1",
  configFile: resolve("config.yaml"),
  dataDir: resolve("data"),
  databaseUrl: null,
  queue: null,
  redisUrl: null,
  masterKey: null,
  encryptionKeys: [],
  encryptionKeyName: "SLUICE_ENCRYPTION_KEY",
  shutdownSeconds: 25,
  drainSeconds: 5,
  privateDestinationHosts: [],
  portalUrl: null,
  sessionSecret: null,
  oidc: null,
  adminEmail: null,
  adminPassword: null,
  alerts: { webhookUrl: null, slackWebhookUrl: null, smtp: null },
  logLevel: "info",
  warnings: [],
};

test("without a setting everything has its default, and an empty value counts as none", () => {
  expect(readSettings({}, [])).toEqual(defaults);
  expect(readSettings(Object.fromEntries(settingNames.map((name) => [name, " "])), [])).toEqual(defaults);
});

test("the example file names every setting, and loads as it is", () => {
  const example = parseEnv(readFileSync(join(import.meta.dirname, "../../.env.example"), "utf8"));
  expect(Object.keys(example).toSorted()).toEqual(settingNames.toSorted());
  expect(readSettings(example, [])).toEqual(defaults);
});

test("every setting is read", () => {
  const env = {
    PORT: "0",
    HOST: "0.0.0.0",
    SLUICE_CONFIG: "/etc/sluice.yaml",
    SLUICE_DATA_DIR: "/var/lib/sluice",
    DATABASE_URL: "postgresql://user:p%40ss@db/sluice",
    REDIS_URL: "redis://cache:6379",
    SLUICE_QUEUE: "local",
    SLUICE_MASTER_KEY: "sk-0123456789abcdef",
    SLUICE_ENCRYPTION_KEY: "new-key-0123456789, old-key-0123456789",
    SLUICE_SHUTDOWN_SECONDS: "2.5",
    SLUICE_DRAIN_SECONDS: "1.5",
    SLUICE_PRIVATE_DESTINATION_HOSTS: "langfuse:3000, 10.0.0.0/8,",
    NEXTAUTH_URL: "https://logs.example.com",
    NEXTAUTH_SECRET: "session-secret-0123456789",
    OIDC_ISSUER: "https://login.example.com/realms/main",
    OIDC_CLIENT_ID: "sluice",
    OIDC_CLIENT_SECRET: "secret-of-the-client",
    SLUICE_ADMIN_EMAIL: "ada@example.com",
    SLUICE_ADMIN_PASSWORD: "a-long-password",
    SLUICE_LOG_LEVEL: "DEBUG",
    WEBHOOK_URL: "https://alerts.example.com/sluice",
    SLACK_WEBHOOK_URL: "https://hooks.example.com/T0/B0",
    SMTP_HOST: "smtp.example.com",
    SMTP_PORT: "465",
    SMTP_USERNAME: "sluice",
    SMTP_PASSWORD: "mail password",
    SMTP_SENDER_EMAIL: "sluice@example.com",
    SMTP_TLS: "False",
  };
  expect(Object.keys(env).toSorted()).toEqual(settingNames.toSorted());
  expect(readSettings(env, [])).toEqual({
    port: 0,
    host: "0.0.0.0",
    configFile: "/etc/sluice.yaml",
    dataDir: "/var/lib/sluice",
    databaseUrl: "postgresql://user:p%40ss@db/sluice",
    redisUrl: "redis://cache:6379",
    queue: "local",
    masterKey: "sk-0123456789abcdef",
    encryptionKeys: ["new-key-0123456789", "old-key-0123456789"],
    encryptionKeyName: "SLUICE_ENCRYPTION_KEY",
    shutdownSeconds: 2.5,
    drainSeconds: 1.5,
    privateDestinationHosts: ["langfuse:3000", "10.0.0.0/8"],
    portalUrl: "https://logs.example.com",
    sessionSecret: "session-secret-0123456789",
    oidc: {
      issuer: "https://login.example.com/realms/main",
      clientId: "sluice",
      clientSecret: "secret-of-the-client",
    },
    adminEmail: "ada@example.com",
    adminPassword: "a-long-password",
    alerts: {
      webhookUrl: "https://alerts.example.com/sluice",
      slackWebhookUrl: "https://hooks.example.com/T0/B0",
      smtp: {
        ...{ host: "smtp.example.com", port: 465, username: "sluice", password: "mail password" },
        ...{ from: "sluice@example.com", isTls: false },
      },
    },
    logLevel: "debug",
    warnings: [],
  });
});

test("LiteLLM's names are read, and ours win over them with a warning that shows neither value", () => {
  const litellm = { LITELLM_MASTER_KEY: "sk-1234", LITELLM_SALT_KEY: "sk-salt-0123456789" };
  expect(readSettings(litellm, [])).toMatchObject({ masterKey: "sk-1234", encryptionKeys: ["sk-salt-0123456789"] });
  const both = readSettings(
    { ...litellm, SLUICE_MASTER_KEY: "sk-ours", SLUICE_ENCRYPTION_KEY: "sk-salt-0123456789" },
    [],
  );
  expect(both.masterKey).toBe("sk-ours");
  expect(both.warnings).toEqual(["LITELLM_MASTER_KEY is ignored, because SLUICE_MASTER_KEY is set to another value."]);
});

test("--config wins over SLUICE_CONFIG, in both ways of writing it", () => {
  const env = { SLUICE_CONFIG: "/a.yaml" };
  expect(readSettings(env, ["--config", "/b.yaml"]).configFile).toBe("/b.yaml");
  expect(readSettings(env, ["--dev", "--config=/c.yaml"])).toMatchObject({ configFile: "/c.yaml", warnings: [] });
});

test("--config without a file is a problem", () => {
  expect(problemsOf({}, ["--config"])).toEqual([expect.stringMatching(/^--config names no file\. Fix:/)]);
  expect(problemsOf({}, ["--config", "--dev"])).toHaveLength(1);
});

test("all problems are listed, each with its name and fix, and no value is shown", () => {
  const problems = problemsOf({
    PORT: "hidden",
    HOST: "http://hidden",
    DATABASE_URL: "mysql://hidden:hidden@db/x",
    SLUICE_QUEUE: "hidden",
    LITELLM_MASTER_KEY: "hidden one",
    LITELLM_SALT_KEY: "hidden-key-0123456789,hidden",
    SLUICE_SHUTDOWN_SECONDS: "hidden",
    SLUICE_DRAIN_SECONDS: "hidden",
    SLUICE_LOG_LEVEL: "hidden",
  });
  expect(problems.map((problem) => problem.split(" ")[0])).toEqual([
    "PORT",
    "HOST",
    "DATABASE_URL",
    "SLUICE_QUEUE",
    "LITELLM_MASTER_KEY",
    "LITELLM_SALT_KEY",
    "SLUICE_SHUTDOWN_SECONDS",
    "SLUICE_DRAIN_SECONDS",
    "SLUICE_LOG_LEVEL",
  ]);
  for (const problem of problems) expect(problem).toContain("Fix: ");
  expect(problems.join("\n")).not.toContain("hidden");
});

test.each(["65536", "-1", "4000.5", "4e3"])("PORT=%s is refused", (port) => {
  expect(problemsOf({ PORT: port })).toEqual([expect.stringMatching(/^PORT is not a port number/)]);
});

test("a database URL with an unescaped special character is refused", () => {
  expect(problemsOf({ DATABASE_URL: "postgres://user:a#b@db:5432/x" })).toEqual([expect.stringContaining("%XX")]);
});

test.each([
  ["25", "25"],
  ["3", "5"],
  ["0.5", "0.5"],
])("a drain is refused if the stop of %s s has no time after its %s s", (shutdown, drain) => {
  expect(problemsOf({ SLUICE_SHUTDOWN_SECONDS: shutdown, SLUICE_DRAIN_SECONDS: drain })).toEqual([
    expect.stringMatching(/^SLUICE_DRAIN_SECONDS is not shorter than SLUICE_SHUTDOWN_SECONDS.* Fix:/),
  ]);
});

test("a short stop has a short drain unless one is set, and none is always possible", () => {
  expect(readSettings({ SLUICE_SHUTDOWN_SECONDS: "10" }, []).drainSeconds).toBe(2);
  expect(readSettings({ SLUICE_SHUTDOWN_SECONDS: "600" }, []).drainSeconds).toBe(5);
  expect(readSettings({ SLUICE_SHUTDOWN_SECONDS: "0", SLUICE_DRAIN_SECONDS: "0" }, []).drainSeconds).toBe(0);
});

test("either queue can be chosen, and no other", () => {
  expect(readSettings({ SLUICE_QUEUE: "database" }, []).queue).toBe("database");
  expect(problemsOf({ SLUICE_QUEUE: "redis" })).toEqual([
    expect.stringMatching(/^SLUICE_QUEUE names no queue\. Fix: use local or database/),
  ]);
});

test("unknown settings and options are warnings with the nearest known name", () => {
  const { warnings } = readSettings({ SLUICE_DATADIR: "x", SLUICE_PORT: "1", SLUICE_ZZZ: "hidden", OTHER: "x" }, [
    "--confg=hidden",
    "hidden",
  ]);
  expect(warnings).toEqual([
    "--confg is not a known option and is ignored. Did you mean --config?",
    expect.stringContaining("--config FILE"),
    "SLUICE_DATADIR is not a known setting and is ignored. Did you mean SLUICE_DATA_DIR?",
    "SLUICE_PORT is not a known setting and is ignored. Did you mean PORT?",
    "SLUICE_ZZZ is not a known setting and is ignored.",
  ]);
});

test("a short master key that is reachable from outside is a warning", () => {
  expect(readSettings({ SLUICE_MASTER_KEY: "sk-1234" }, []).warnings).toEqual([]);
  expect(readSettings({ SLUICE_MASTER_KEY: "sk-1234", HOST: "0.0.0.0" }, []).warnings).toHaveLength(1);
});

test("a provider of sign-in needs all that belongs to it, and https except on this machine", () => {
  const whole = { OIDC_CLIENT_ID: "sluice", OIDC_CLIENT_SECRET: "a secret that stays unsaid" };
  expect(() => readSettings({ OIDC_ISSUER: "https://login.example.com" }, [])).toThrow(
    /OIDC_CLIENT_ID is missing.*\n.*OIDC_CLIENT_SECRET is missing/,
  );
  for (const issuer of ["http://login.example.com", "login.example.com", "https://login.example.com?a=1"]) {
    expect(() => readSettings({ ...whole, OIDC_ISSUER: issuer }, [])).toThrow(/^OIDC_ISSUER is not the address/);
  }
  for (const issuer of ["https://login.example.com", "http://127.0.0.1:9000/realms/main"]) {
    expect(readSettings({ ...whole, OIDC_ISSUER: issuer }, []).oidc?.issuer).toBe(issuer);
  }
});

test("two master keys may be listed, the new one first; a key that is no such list stays one key", () => {
  expect(readSettings({ SLUICE_MASTER_KEY: "sk-new-0123456789, sk-old-0123456789" }, []).masterKey).toBe(
    "sk-new-0123456789, sk-old-0123456789",
  );
  expect(splitMasterKeys("sk-new-0123456789, sk-old-0123456789")).toEqual(["sk-new-0123456789", "sk-old-0123456789"]);
  expect(splitMasterKeys("sk-with,a-comma")).toEqual(["sk-with,a-comma"]);
  expect(problemsOf({ SLUICE_MASTER_KEY: "sk-1,sk-2,sk-3" })).toEqual([
    expect.stringMatching("SLUICE_MASTER_KEY cannot be used|SLUICE_MASTER_KEY lists too many keys"),
  ]);
});

test("an encryption key that is missing in a list is refused, and one that stands there twice is one key", () => {
  const [one, other] = ["new-key-0123456789", "old-key-0123456789"];
  for (const list of [",", `${one},`, `,${one}`, `${one},,${other}`, `${one}, ,${other}`, `${one},short`]) {
    expect(problemsOf({ LITELLM_SALT_KEY: list })).toEqual([expect.stringMatching("^LITELLM_SALT_KEY .*too short")]);
  }
  expect(readSettings({ SLUICE_ENCRYPTION_KEY: `${one},${one}` }, []).encryptionKeys).toEqual([one]);
});
