import { beforeEach, describe, expect, test } from "vitest";
import { parsePrivateHosts, privateHostsState } from "#lib/address-private-hosts.ts";
import { parseConfig, type Config } from "#lib/config.ts";
import { isSealedText, makeKeyring } from "#lib/seal.ts";
import { secretMask, type CallbackVars } from "#logging/callback.ts";
import { hintVars, isSecretVar, maskVars, openVars, sealVars, targetOf } from "#logging/callback-vars.ts";
import { checkCallback } from "#logging/check-callback.ts";
import { envReference, isAllowedReference } from "#logging/env-reference.ts";
import { isShownSecret, toSecretHint } from "#logging/secret-hint.ts";

const keyring = makeKeyring(["a-master-key-of-the-tests"]);
const owner = { callbackId: "cb-1", callbackName: "langfuse", scope: "team:T1" };
const vars: CallbackVars = {
  langfuse_public_key: "pk-lf-1",
  langfuse_secret_key: "sk-lf-1",
  langfuse_host: "https://langfuse.example.com",
  turn_off_message_logging: false,
  empty: null,
};

/** vitest's matchers are typed as any. */
function matching(pattern: RegExp): unknown {
  return expect.stringMatching(pattern);
}

function config(general = ""): Config {
  return parseConfig(`general_settings: {${general}}\n`, "config.yaml", {}).config;
}

describe("sealed variables", () => {
  test("hold the secrets, open again, and leave the rest readable", () => {
    const sealed = sealVars(keyring, owner, vars);
    expect(JSON.stringify(sealed)).not.toMatch(/-lf-1/);
    expect(sealed).toMatchObject({ langfuse_host: vars.langfuse_host, turn_off_message_logging: false, empty: null });
    expect(openVars(keyring, owner, sealed)).toEqual(vars);
    expect(sealVars(keyring, owner, sealed)).toEqual(sealed);
  });

  test("keep the type of a value", () => {
    const typed: CallbackVars = { some_token: 5, other_secret: ["a"], third_password: true };
    const sealed = sealVars(keyring, owner, typed);
    expect(Object.values(sealed).every((value) => typeof value === "string" && isSealedText(value))).toBe(true);
    expect(openVars(keyring, owner, sealed)).toEqual(typed);
  });

  test("cannot be opened for another target, field, callback, team or key", () => {
    const sealed = sealVars(keyring, owner, vars);
    expect(() => openVars(keyring, owner, { ...sealed, langfuse_host: "https://evil.example.com" })).toThrow();
    expect(() => openVars(keyring, owner, { ...sealed, langfuse_host: null })).toThrow();
    expect(() =>
      openVars(keyring, owner, { ...sealed, langfuse_secret_key: sealed.langfuse_public_key ?? null }),
    ).toThrow();
    expect(() => openVars(keyring, { ...owner, callbackId: "cb-2" }, sealed)).toThrow();
    expect(() => openVars(keyring, { ...owner, scope: "team:T2" }, sealed)).toThrow();
    expect(() => openVars(makeKeyring(["another-master-key-of-tests"]), owner, sealed)).toThrow();
  });

  test("an empty host is no host", () => {
    expect(targetOf("langfuse", { langfuse_host: "" })).toBe(targetOf("langfuse", {}));
  });

  test("are shown as a mask", () => {
    expect(maskVars("langfuse", vars)).toEqual({
      ...vars,
      langfuse_public_key: secretMask,
      langfuse_secret_key: secretMask,
    });
  });

  test("show the end of a long token and a fingerprint of any, which differs between secrets and master keys", () => {
    const long = "sk-lf-0123456789abcd";
    const sealed = sealVars(keyring, owner, { ...vars, langfuse_secret_key: long });
    const shown = hintVars(keyring, owner, sealed);
    expect(shown).toEqual({
      ...vars,
      langfuse_public_key: matching(/^\*{8} \(fingerprint [0-9a-f]{10}\)$/),
      langfuse_secret_key: matching(/^\*{8}abcd \(fingerprint [0-9a-f]{10}\)$/),
    });
    expect(shown.langfuse_public_key).not.toBe(toSecretHint(keyring, "pk-lf-2"));
    expect(shown.langfuse_secret_key).toBe(toSecretHint(keyring, long));
    const rotated = makeKeyring(["another-master-key-of-tests"]);
    expect(toSecretHint(rotated, long)).not.toBe(shown.langfuse_secret_key);
    expect(hintVars(rotated, owner, sealed)).toMatchObject({ langfuse_secret_key: secretMask });
  });

  test("show no end of what is no plain token, and nothing at all of a reference", () => {
    const account = JSON.stringify({ type: "service_account", private_key: "k" });
    expect(toSecretHint(keyring, account)).toMatch(/^\*{8} \(/);
    expect(toSecretHint(keyring, "os.environ/LANGFUSE_SECRET_KEY")).toBe(secretMask);
    for (const shown of [toSecretHint(keyring, account), secretMask]) expect(isShownSecret(shown)).toBe(true);
    for (const other of ["********", "sk-lf-1", 5, null]) expect(isShownSecret(other)).toBe(false);
  });

  test("are found by what the destination says, else by their name", () => {
    expect(isSecretVar("langfuse", "langfuse_host")).toBe(false);
    expect(isSecretVar("langfuse", "langfuse_secret")).toBe(true);
    for (const name of ["dd_api_key", "gcs_path_service_account", "webhook_headers", "some_token"]) {
      expect(isSecretVar("unknown", name), name).toBe(true);
    }
    expect(isSecretVar("unknown", "gcs_bucket_name")).toBe(false);
  });
});

describe("environment references", () => {
  test.each([
    ["os.environ/NAME", "NAME"],
    ["os.environ/", ""],
    ["x os.environ/NAME", null],
    ["OS.ENVIRON/NAME", null],
    [5, null],
    [undefined, null],
  ])("%j names %j", (value, name) => {
    expect(envReference(value)).toBe(name);
  });

  test.each([
    ["LANGFUSE_SECRET_KEY", true],
    ["LANGFUSE_", true],
    ["DD_API_KEY", true],
    ["XLANGFUSE_KEY", false],
    ["OPENAI_API_KEY", false],
    ["PATH", false],
    ["", false],
  ])("%s is allowed by default: %j", (name, expected) => {
    expect(isAllowedReference(name, config())).toBe(expected);
  });

  test("our own names are never reached, however wide the pattern is", () => {
    const wide = config("env_references: ['*', SLUICE_MASTER_KEY, DATABASE_URL]");
    const own =
      `SLUICE_MASTER_KEY SLUICE_ENCRYPTION_KEY sluice_master_key LITELLM_MASTER_KEY LITELLM_SALT_KEY DATABASE_URL
      NEXTAUTH_SECRET REDIS_URL OIDC_CLIENT_SECRET SLUICE_ADMIN_PASSWORD`.split(/\s+/);
    for (const name of own) expect(isAllowedReference(name, wide), name).toBe(false);
    expect(isAllowedReference("MY_PROJECT_KEY", wide)).toBe(true);
    expect(isAllowedReference("MY_KEY", config("env_references: [MY_KEY]"))).toBe(true);
    expect(isAllowedReference("MY_KEY_2", config("env_references: [MY_KEY]"))).toBe(false);
  });
});

describe("a callback that somebody wants to store", () => {
  beforeEach(() => {
    privateHostsState.set(parsePrivateHosts(["langfuse.corp:8443", "127.0.0.1:9000"]));
  });

  async function refusal(given: CallbackVars, name = "langfuse", settings = config()) {
    return checkCallback({ callback_name: name, callback_vars: given }, settings).then(
      () => null,
      (error: unknown) => error,
    );
  }

  const pair = { langfuse_public_key: "pk", langfuse_secret_key: "sk" };

  test.each<[string, CallbackVars]>([
    ["the whole pair", pair],
    ["the pair with LiteLLM's other name", { langfuse_public_key: "pk", langfuse_secret: "sk" }],
    ["the pair with both names", { ...pair, langfuse_secret: "sk" }],
    ["no credentials at all", {}],
    ["empty texts, which mean nothing", { langfuse_public_key: "", langfuse_secret_key: " ", langfuse_host: "" }],
    ["general variables", { ...pair, turn_off_message_logging: "True", litellm_disabled_callbacks: ["a"] }],
    ["references", { langfuse_public_key: "os.environ/LANGFUSE_A", langfuse_secret: "os.environ/LANGFUSE_B" }],
    ["a host that the operator opened, written without scheme", { ...pair, langfuse_host: "langfuse.corp:8443" }],
    ["a host that the operator opened, plain http", { ...pair, langfuse_host: "http://127.0.0.1:9000" }],
    ["a public address", { ...pair, langfuse_host: "https://93.184.215.14" }],
  ])("%s is accepted", async (_title, given) => {
    expect(await refusal(given)).toBeNull();
  });

  test.each<[string, CallbackVars, number, string, RegExp]>([
    [
      "the secret is missing",
      { langfuse_public_key: "pk" },
      400,
      "langfuse_secret_key",
      /langfuse_secret_key is missing/,
    ],
    [
      "the public key is missing",
      { langfuse_secret_key: "sk" },
      400,
      "langfuse_public_key",
      /langfuse_public_key is missing: langfuse_secret_key/,
    ],
    [
      "the same with the other name",
      { langfuse_secret: "sk" },
      400,
      "langfuse_public_key",
      /langfuse_public_key is missing: langfuse_secret is/,
    ],
    ["a half that is empty", { ...pair, langfuse_secret_key: "" }, 400, "langfuse_secret_key", /is missing/],
    [
      "an unknown variable",
      { ...pair, langfuse_foo: "x" },
      422,
      "langfuse_foo",
      /Invalid callback variable: langfuse_foo/,
    ],
    [
      "a value that does not fit",
      { ...pair, langfuse_environment: "Langfuse!" },
      422,
      "langfuse_environment",
      /langfuse_environment/,
    ],
    ["a variable of another type", { ...pair, langfuse_host: true }, 422, "langfuse_host", /langfuse_host/],
    [
      "our own variable",
      { ...pair, langfuse_host: "os.environ/SLUICE_MASTER_KEY" },
      400,
      "langfuse_host",
      /SLUICE_MASTER_KEY/,
    ],
    ["a loopback address", { ...pair, langfuse_host: "https://127.0.0.1" }, 400, "langfuse_host", /127\.0\.0\.1/],
    ["metadata of the cloud", { ...pair, langfuse_host: "http://169.254.169.254" }, 400, "langfuse_host", /./],
    [
      "a name of a private network without scheme",
      { ...pair, langfuse_host: "localhost:3000" },
      400,
      "langfuse_host",
      /localhost/,
    ],
  ])("%s is refused, naming the variable", async (...[, given, status, name, message]) => {
    expect(await refusal(given)).toMatchObject({
      status,
      param: `callback_vars.${name}`,
      message: matching(message),
    });
  });

  test("an unknown name is refused with the known ones, without those of the operator", async () => {
    for (const name of ["nobody", "local_files", "constructor"]) {
      expect(await refusal({}, name)).toMatchObject({
        status: 400,
        param: "callback_name",
        message: matching(/Known callbacks: .*langfuse/),
      });
    }
    expect(String(await refusal({}, "nobody"))).not.toContain("local_files,");
  });

  test("LiteLLM's leniency lets half pairs, unknown names and variables pass, never the guard or the operator's own", async () => {
    const lenient = config("lenient_callbacks: true");
    expect(await refusal({ langfuse_public_key: "pk" }, "langfuse", lenient)).toBeNull();
    expect(await refusal({ langfuse_foo: "x" }, "langfuse", lenient)).toBeNull();
    expect(await refusal({}, "nobody", lenient)).toBeNull();
    expect(await refusal({ langfuse_host: "https://127.0.0.1" }, "langfuse", lenient)).toMatchObject({ status: 400 });
    expect(await refusal({ x: "os.environ/DATABASE_URL" }, "nobody", lenient)).toMatchObject({ status: 400 });
    expect(await refusal({ local_files_dir: "/etc" }, "local_files", lenient)).toMatchObject({ status: 400 });
  });
});
