import { expect, test } from "vitest";
import { AppError } from "#lib/errors.ts";
import { parseConfig, type LoadedConfig } from "#lib/config.ts";

function parse(text: string): LoadedConfig {
  return parseConfig(text, "config.yaml", {});
}

function errorsOf(text: string): string[] {
  try {
    parse(text);
  } catch (error) {
    if (error instanceof AppError && error.code === "bad_request") return error.message.split("\n");
    throw error;
  }
  return [];
}

test("a single name is a list of one; what is no name is left out with a warning", () => {
  const { config, warnings } = parse(
    "litellm_settings:\n  success_callback: langfuse\n  callbacks:\n    - datadog\n    - 3\n    - { a: b }\n",
  );
  expect(config.litellm_settings).toMatchObject({ success_callback: ["langfuse"], callbacks: ["datadog"] });
  expect(warnings.map((warning) => warning.split(" is not")[0])).toEqual([
    "config.yaml:5 litellm_settings.callbacks[1]:",
    "config.yaml:6 litellm_settings.callbacks[2]:",
  ]);
});

test("default_team_settings takes the misspelt lists, callbacks for both outcomes and nested variables", () => {
  const { config, warnings } = parse(`litellm_settings:
  default_team_settings:
    - team_id: a
      success_callbacks: ["langfuse"]
      callbacks: ["langfuse", "otel"]
      langfuse_host: ""
      langfuse_public_key: flat
      callback_vars: { langfuse_public_key: nested, rate: 0.5 }
    - team_id: a
      success_callback: ["datadog"]
`);
  expect(config.litellm_settings.default_team_settings).toEqual([
    {
      team_id: "a",
      success_callback: ["langfuse", "otel"],
      failure_callback: ["langfuse", "otel"],
      callback_vars: { langfuse_public_key: "nested", rate: 0.5 },
      line: 3,
    },
  ]);
  expect(warnings).toEqual([
    expect.stringMatching(/^config\.yaml:4 .*success_callbacks: is read as success_callback/),
    expect.stringMatching(/^config\.yaml:9 .*earlier entry/),
  ]);
});

test("an entry of default_team_settings without its team, or with a list as a variable, is an error", () => {
  const errors = errorsOf(`litellm_settings:
  default_team_settings:
    - team_id: a
      tags: [x]
    - success_callback: ["langfuse"]
    - langfuse
    - team_id: 12
`);
  expect(errors).toHaveLength(4);
  expect(errors[0]).toMatch(/^config\.yaml:4 litellm_settings\.default_team_settings\[0\]\.tags: .*Fix: .*JSON/);
  expect(errors[1]).toMatch(/^config\.yaml:5 .*team_id missing from default_team_settings at index=1\. Fix:/);
  expect(errors[2]).toMatch(/^config\.yaml:6 .*team_id missing from default_team_settings at index=2\. Fix:/);
  expect(errors[3]).toMatch(/^config\.yaml:7 .*\[3\]\.team_id: .*Fix: put the team id in quotes/);
});
