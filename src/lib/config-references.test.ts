import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { loadConfig, parseConfig, type LoadedConfig } from "#lib/config.ts";

const directory = mkdtempSync(join(tmpdir(), "sluice-config-"));
afterAll(() => {
  rmSync(directory, { recursive: true });
});

function parse(text: string, env: Record<string, string> = {}): LoadedConfig {
  return parseConfig(text, "config.yaml", env);
}

test("references are resolved at any depth, exactly, and never in part", () => {
  const { config } = parse(
    `model_list:
  - model_name: a
    litellm_params:
      model: openai/a
      api_key: os.environ/KEY
      rpm: os.environ/RPM
      extra: [{ deep: os.environ/KEY }, "see os.environ/KEY", "OS.ENVIRON/KEY", "\${KEY}"]
litellm_settings:
  turn_off_message_logging: os.environ/REDACT
`,
    { KEY: "sk-value", RPM: "12", REDACT: "TRUE" },
  );
  expect(config.model_list[0]?.litellm_params).toEqual({
    model: "openai/a",
    api_key: "sk-value",
    rpm: 12,
    extra: [{ deep: "sk-value" }, "see os.environ/KEY", "OS.ENVIRON/KEY", "${KEY}"],
  });
  expect(config.litellm_settings.turn_off_message_logging).toBe(true);
});

test("a variable's value is not resolved again", () => {
  const { config } = parse("general_settings: { database_url: os.environ/A }\n", { A: "os.environ/B", B: "no" });
  expect(config.general_settings.database_url).toBe("os.environ/B");
});

test("names of built-in object properties are variables like others", () => {
  const { config, warnings } = parse("callback_settings: { a: os.environ/constructor }\n");
  expect(config.callback_settings).toEqual({});
  expect(warnings).toHaveLength(1);
});

test("the texts true and false of a variable become booleans in callback variables too", () => {
  const { config } = parse(
    `litellm_settings:
  default_team_settings:
    - { team_id: a, callback_vars: { turn_off_message_logging: os.environ/OFF, other: "false" } }
`,
    { OFF: "false" },
  );
  expect(config.litellm_settings.default_team_settings[0]?.callback_vars).toEqual({
    turn_off_message_logging: false,
    other: "false",
  });
});

test("environment_variables come first, may refer to each other and to the environment, and win over it", () => {
  const env = { OUTSIDE: "from-outside", LANGFUSE_HOST: "old" };
  const loaded = parse(
    `general_settings:
  database_url: os.environ/SECOND
environment_variables:
  FIRST: os.environ/OUTSIDE
  SECOND: os.environ/FIRST
  LANGFUSE_HOST: https://langfuse.example
  BATCH: 10
  ON: true
  LATER: os.environ/NOWHERE
`,
    env,
  );
  expect(loaded.config.general_settings.database_url).toBe("from-outside");
  expect(loaded.environment).toEqual({
    FIRST: "from-outside",
    SECOND: "from-outside",
    LANGFUSE_HOST: "https://langfuse.example",
    BATCH: "10",
    ON: "true",
  });
  expect(loaded.warnings).toEqual([expect.stringMatching(/^config\.yaml:9 environment_variables\.LATER: .*NOWHERE/)]);
  expect(env).toEqual({ OUTSIDE: "from-outside", LANGFUSE_HOST: "old" });
});

test("loading a file sets its environment_variables, and a file with errors sets none", () => {
  const good = join(directory, "good.yaml");
  const bad = join(directory, "bad.yaml");
  writeFileSync(good, "environment_variables: { A: one }\n");
  writeFileSync(bad, "environment_variables: { B: two }\nmodel_list: 3\n");
  const env: Record<string, string | undefined> = {};
  loadConfig(good, env);
  expect(() => loadConfig(bad, env)).toThrow("model_list");
  expect(env).toEqual({ A: "one" });
});

test("a setting that is read before the file is no use in environment_variables, and says so", () => {
  const { warnings } = parse("environment_variables:\n  LITELLM_MASTER_KEY: sk-hidden\n");
  expect(warnings).toEqual([expect.stringMatching(/^config\.yaml:2 .*LITELLM_MASTER_KEY: is read before this file/)]);
  expect(warnings.join()).not.toContain("hidden");
});
