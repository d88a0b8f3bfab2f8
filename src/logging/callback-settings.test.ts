import { expect, test } from "vitest";
import { parseConfig } from "#lib/config.ts";
import { assertKindsKnown, assertTeamSwitchesAct } from "#logging/callback-settings.ts";

function start(text: string): void {
  const { config, locate } = parseConfig(text, "config.yaml", {});
  assertKindsKnown(config, locate);
  assertTeamSwitchesAct(config, locate);
}

const ofTeam = (vars: string) => `litellm_settings:\n  default_team_settings:\n    - { team_id: t1, ${vars} }\n`;

test.each([
  ["redaction: contents", "redaction"],
  ["turn_off_message_logging: maybe", "turn_off_message_logging"],
  ["message_logging: never", "message_logging"],
  ["callback_vars: { redact_classes: tool_result }", "redact_classes"],
])("a switch of a team with the value of %s stops the start", (vars, name) => {
  expect(() => {
    start(ofTeam(vars));
  }).toThrow(new RegExp(`^config\\.yaml:3 default_team_settings of team t1: ${name}: .*Fix:`));
});

test.each(["redaction: content", 'turn_off_message_logging: "True"', "message_logging: no", "redact_classes: tags"])(
  "a switch of a team that says %s starts",
  (vars) => {
    start(ofTeam(vars));
  },
);

test("a switch of a callback that is not known by its name stops the start", () => {
  expect(() => {
    start("callback_settings: { OTEL: { message_logging: false } }\n");
  }).toThrow("callback_settings.OTEL");
});
