import { afterEach, expect, test } from "vitest";
import { configState, parseConfig } from "#lib/config.ts";
import { describeSettings } from "#logging/describe-settings.ts";

const config = parseConfig(
  `
model_list:
  - model_name: answers
    litellm_params: { model: openai/gpt-x, api_base: "https://user:sk-in-address@example.com", api_key: sk-upstream }
litellm_settings:
  success_callback: [langfuse]
  turn_off_message_logging: true
  default_team_settings:
    - { team_id: search, success_callback: [langfuse], langfuse_public_key: pk-1, langfuse_secret: sk-of-the-team }
general_settings:
  master_key: sk-master-of-all
  database_url: postgresql://user:password-of-the-database@localhost/x
  must_log: true
retention: { deliveries_days: 3 }
`,
  "config.yaml",
  {},
).config;

afterEach(() => configState.set(config));

test("says what holds for every team, in the names of the file", () => {
  configState.set(config);
  const { groups, models } = describeSettings(config);
  const values = Object.fromEntries(groups.flatMap(({ settings }) => settings.map(({ name, value }) => [name, value])));
  expect(values).toMatchObject({
    "litellm_settings.callbacks": ["langfuse (success)"],
    "litellm_settings.default_team_settings": ["search"],
    "general_settings.must_log": true,
    "litellm_settings.turn_off_message_logging": true,
    "retention.deliveries_days": 3,
    "retention.dead_letters_days": 14,
  });
  expect(models).toEqual([{ name: "answers", upstream: "openai/gpt-x" }]);
});

test("says nothing that is secret", () => {
  configState.set(config);
  expect(JSON.stringify(describeSettings(config))).not.toMatch(/sk-|pk-1|password-of-the-database|example\.com/);
});
