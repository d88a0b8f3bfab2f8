import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { AppError } from "#lib/errors.ts";
import { loadConfig, parseConfig, type LoadedConfig } from "#lib/config.ts";

const directory = mkdtempSync(join(tmpdir(), "sluice-config-"));
afterAll(() => {
  rmSync(directory, { recursive: true });
});

function parse(text: string, env: Record<string, string> = {}): LoadedConfig {
  return parseConfig(text, "config.yaml", env);
}

function errorsOf(text: string, env: Record<string, string> = {}): string[] {
  return messageOf(() => parse(text, env)).split("\n");
}

function messageOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof AppError && error.code === "bad_request") return error.message;
    throw error;
  }
  return "no error";
}

const twoProjects = `litellm_settings:
  default_team_settings:
    - team_id: my-secret-project
      success_callback: ["langfuse"]
      langfuse_public_key: os.environ/LANGFUSE_PUB_KEY_1 # of the first project
      langfuse_secret: os.environ/LANGFUSE_PRIVATE_KEY_1
    - team_id: ishaans-secret-project
      success_callback: ["langfuse"]
      langfuse_public_key: os.environ/LANGFUSE_PUB_KEY_2 # of the second
      langfuse_secret: os.environ/LANGFUSE_SECRET_2
`;

const redacted = `model_list:
  - model_name: gpt-4o
    litellm_params:
      model: gpt-4o
litellm_settings:
  callbacks: ["datadog"]
  turn_off_message_logging: True # for everybody
`;

describe("configurations written for the LiteLLM proxy", () => {
  test("two teams log to two projects, with the secrets of the environment", () => {
    const env = {
      LANGFUSE_PUB_KEY_1: "pk-1",
      LANGFUSE_PRIVATE_KEY_1: "sk-1",
      LANGFUSE_PUB_KEY_2: "pk-2",
      LANGFUSE_SECRET_2: "sk-2",
    };
    const { config, warnings } = parse(twoProjects, env);
    expect(warnings).toEqual([]);
    expect(config.litellm_settings.default_team_settings).toEqual([
      {
        team_id: "my-secret-project",
        success_callback: ["langfuse"],
        failure_callback: [],
        callback_vars: { langfuse_public_key: "pk-1", langfuse_secret: "sk-1" },
        line: 3,
      },
      {
        team_id: "ishaans-secret-project",
        success_callback: ["langfuse"],
        failure_callback: [],
        callback_vars: { langfuse_public_key: "pk-2", langfuse_secret: "sk-2" },
        line: 7,
      },
    ]);
  });

  test("two teams load with the variables unset: the values are null and each has a warning", () => {
    const { config, warnings } = parse(twoProjects, { LANGFUSE_PUB_KEY_1: "pk-1", LANGFUSE_SECRET_2: "" });
    expect(config.litellm_settings.default_team_settings.map(({ callback_vars }) => callback_vars)).toEqual([
      { langfuse_public_key: "pk-1", langfuse_secret: null },
      { langfuse_public_key: null, langfuse_secret: null },
    ]);
    expect(warnings).toHaveLength(3);
    expect(warnings[0]).toMatch(
      /^config\.yaml:6 litellm_settings\.default_team_settings\[0\]\.langfuse_secret: .* LANGFUSE_PRIVATE_KEY_1 is not set/,
    );
    expect(warnings[2]).toMatch(/^config\.yaml:10 .* LANGFUSE_SECRET_2 is empty/);
  });

  test("redaction for everybody", () => {
    const { config, warnings } = parse(redacted);
    expect(warnings).toEqual([]);
    expect(config.model_list).toEqual([
      {
        model_name: "gpt-4o",
        litellm_params: { model: "gpt-4o" },
        model_info: {},
        source: { place: "config.yaml:4" },
      },
    ]);
    expect(config.litellm_settings).toMatchObject({ callbacks: ["datadog"], turn_off_message_logging: true });
  });

  test("a snippet that lost its indentation loads, and is told where its keys belong", () => {
    const flattened = twoProjects.replace(/^ +/gm, (spaces) => (spaces.length > 4 ? "  " : ""));
    const { config, warnings } = parse(flattened, {
      LANGFUSE_PUB_KEY_1: "a",
      LANGFUSE_PRIVATE_KEY_1: "b",
      LANGFUSE_PUB_KEY_2: "c",
      LANGFUSE_SECRET_2: "d",
    });
    expect(config.litellm_settings.default_team_settings).toEqual([]);
    expect(warnings).toEqual([
      "config.yaml:2 default_team_settings: is not a known key and is ignored. " +
        "Fix: indent it below litellm_settings:, where it belongs.",
    ]);
  });

  test("LiteLLM's other keys are accepted; what does nothing here is said once each", () => {
    const { warnings } = parse(`general_settings:
  master_key: sk-1234
  alerting_threshold: 300
litellm_settings:
  json_logs: true
  drop_params: true
  set_verbose: yes
router_settings:
  num_retries: 2
`);
    expect(warnings).toEqual([
      "config.yaml:3 general_settings.alerting_threshold: is accepted but has no effect in this version.",
      "config.yaml:7 litellm_settings.set_verbose: is accepted but has no effect in this version.",
    ]);
  });
});

describe("defaults", () => {
  test("an empty file and empty sections give the defaults", () => {
    const sections = parse("model_list:\nlitellm_settings:\ngeneral_settings:\n  delivery:\nlogging:\n");
    const empty = parse("");
    expect(empty.warnings).toEqual([expect.stringContaining("config.yaml:1 the whole file: is empty")]);
    expect(sections.warnings).toEqual([]);
    expect(sections.config).toEqual(empty.config);
    expect(empty.config).toMatchObject({
      model_list: [],
      litellm_settings: { callbacks: [], default_team_settings: [], turn_off_message_logging: false },
      general_settings: { user_api_key_cache_ttl: 60, max_request_size_mb: 20, delivery: { tries_max: 20 } },
      logging: { commit: "before_answer" },
      retention: { content_hours: 0, deliveries_days: 7, dead_letters_days: 14 },
    });
  });

  test("the configuration that comes with the product loads without a warning and without a variable", () => {
    const { config, warnings } = loadConfig(join(import.meta.dirname, "../../config.yaml"), {});
    expect(warnings).toEqual([]);
    expect(config.model_list.map(({ model_name }) => model_name)).toEqual(["mock-gpt"]);
    expect(config.litellm_settings.callbacks).toEqual(["local_files"]);
  });

  test("further parameters of a model, of its info and of open sections are kept as given", () => {
    const { config, warnings } = parse(`model_list:
  - model_name: a
    litellm_params: { model: openai/a, temperature: 0.2, extra_body: { top: [1, { k: null }] }, api_base: }
    model_info: { base_model: gpt-4, input_cost_per_token: 1e-6 }
callback_settings: { otel: { message_logging: false } }
`);
    expect(warnings).toEqual([]);
    expect(config.model_list[0]).toEqual({
      model_name: "a",
      litellm_params: { model: "openai/a", temperature: 0.2, extra_body: { top: [1, { k: null }] } },
      model_info: { base_model: "gpt-4", input_cost_per_token: 0.000001 },
      source: { place: "config.yaml:3" },
    });
    expect(config.callback_settings).toEqual({ otel: { message_logging: false } });
  });
});

describe("errors and warnings", () => {
  test("every error names file, line, key and fix, in the order of the lines", () => {
    const errors = errorsOf(
      `general_settings: [1]
retention:
  content_hours: -1
model_list: {}
router_settings:
  num_retries: 10 s
  timeout: os.environ/SLOW
logging:
  commit: later
litellm_settings:
  turn_off_message_logging: maybe
  callbacks: 7
`,
      { SLOW: "sk-hidden" },
    );
    expect(errors.map((error) => error.split(": ")[0])).toEqual([
      "config.yaml:1 general_settings",
      "config.yaml:3 retention.content_hours",
      "config.yaml:4 model_list",
      "config.yaml:6 router_settings.num_retries",
      "config.yaml:7 router_settings.timeout",
      "config.yaml:9 logging.commit",
      "config.yaml:11 litellm_settings.turn_off_message_logging",
      "config.yaml:12 litellm_settings.callbacks",
    ]);
    for (const error of errors) expect(error).toContain("Fix: ");
    expect(errors[3]).toContain('expected a number, found the text "10 s"');
    expect(errors[4]).toContain("environment variable SLOW");
    expect(errors.join("\n")).not.toContain("hidden");
  });

  test("an entry of model_list that does not fit is set aside with its place, what is wrong and the fix", () => {
    const text = `model_list:
  - model_name: a
    litellm_params:
      model: 5
      rpm: sk-hidden
      api_key: { nested: hidden }
      timeout: os.environ/SLOW
  - litellm_params:
      model: os.environ/NO_MODEL
  - { model_name: b, litellm_params: { model: openai/b } }
`;
    const { config } = parse(text, { SLOW: "sk-hidden" });
    expect(config.model_list).toMatchObject([{ model_name: "b" }]);
    const [first, second] = config.unusable_models;
    expect(first).toMatchObject({ model_name: "a", place: "config.yaml:4" });
    expect(first?.reason).toContain("litellm_params.model: expected text, found the number 5. Fix: ");
    expect(first?.reason).toContain("litellm_params.rpm: expected a number, found text. Fix: ");
    expect(first?.reason).toContain("environment variable SLOW");
    expect(second).toMatchObject({ model_name: "", place: "config.yaml:9" });
    expect(second?.reason).toContain("model_name: is missing");
    expect(second?.reason).toContain("NO_MODEL");
    expect(JSON.stringify(config.unusable_models)).not.toContain("hidden");
  });

  test("values that may be secret are never shown", () => {
    const errors = errorsOf(`model_list:
  - model_name: a
    litellm_params:
      model: a
router_settings:
  num_retries: sk-hidden
general_settings:
  master_key: [hidden]
  database_url: 123456789
environment_variables:
  A: { b: hidden }
`);
    expect(errors).toHaveLength(4);
    expect(errors.join("\n")).not.toMatch(/hidden|123456789/);
  });

  test("a master key that no client could send is refused without being shown", () => {
    for (const key of ["abc", "with spaces", "schlüssel"]) {
      const [error] = errorsOf(`general_settings:\n  master_key: ${key}\n`);
      expect(error).toMatch(/^config\.yaml:2 general_settings\.master_key: cannot be used as a key\. Fix:/);
      expect(error).not.toContain(key);
    }
  });

  test("an unknown key is a warning with the nearest known name or the section where it belongs", () => {
    const { warnings } = parse(`litellm_setting: {}
litellm_settings:
  request_timout: 5
  master_key: sk-1234
  logging: { commit: after_answer }
general_settings:
  zzz: 1
  delivery: { trys_max: 3 }
model_list:
  - model_name: a
    litellm_param: {}
    litellm_params: { model: a }
x-shared: &shared {}
`);
    expect(warnings).toEqual([
      expect.stringMatching(/^config\.yaml:1 litellm_setting: .*did you mean litellm_settings\?/),
      expect.stringMatching(/^config\.yaml:3 .*did you mean request_timeout\?/),
      expect.stringMatching(/^config\.yaml:4 .*below general_settings:/),
      expect.stringMatching(/^config\.yaml:5 .*left margin/),
      expect.stringMatching(/^config\.yaml:7 general_settings\.zzz: is not a known key and is ignored\.$/),
      expect.stringMatching(/^config\.yaml:8 general_settings\.delivery\.trys_max: .*did you mean tries_max\?/),
      expect.stringMatching(/^config\.yaml:11 model_list\[0\]\.litellm_param: .*did you mean litellm_params\?/),
    ]);
  });

  test("booleans may be written as YAML, as text, and as yes and no", () => {
    for (const [written, value] of Object.entries({ true: true, True: true, '"true"': true, yes: true, off: false })) {
      const { config } = parse(`general_settings: { must_log: ${written} }\n`);
      expect(config.general_settings.must_log).toBe(value);
    }
  });

  test("lists of names may come as one text with commas", () => {
    const { config } = parse("general_settings:\n  private_destination_hosts: os.environ/HOSTS\n", {
      HOSTS: "langfuse.internal:3000, 10.0.0.0/8",
    });
    expect(config.general_settings.private_destination_hosts).toEqual(["langfuse.internal:3000", "10.0.0.0/8"]);
  });

  test("a budget for all calls begins anew after a duration", () => {
    expect(errorsOf("litellm_settings:\n  max_budget: 5\n  budget_duration: monthly\n")).toEqual([
      expect.stringMatching(/^config\.yaml:3 litellm_settings\.budget_duration: is no duration.*Fix:.* 30d/),
    ]);
  });

  test("a pattern of env_references must be a name or the beginning of one", () => {
    expect(errorsOf('general_settings:\n  env_references: ["A_*", "*_B"]\n')).toEqual([
      expect.stringMatching(/^config\.yaml:2 general_settings\.env_references\[1\]: is no pattern .*Fix:/),
    ]);
  });

  test("the place of a path is known to the rooms that check their own part", () => {
    const { locate } = parse(redacted);
    expect(locate(["model_list", 0, "litellm_params", "model"])).toBe("config.yaml:4");
    expect(locate(["litellm_settings", "callbacks", 0])).toBe("config.yaml:6");
    expect(locate(["general_settings", "master_key"])).toBe("config.yaml:1");
  });

  test("a file that is missing, a directory or no text is named, with the fix", () => {
    const latin = join(directory, "latin.yaml");
    writeFileSync(latin, Buffer.from([0x61, 0x3a, 0x20, 0xe4, 0xff]));
    const missing = join(directory, "missing.yaml");
    const expected = { [missing]: "does not exist", [directory]: "is a directory", [latin]: "is not UTF-8 text" };
    for (const [path, reason] of Object.entries(expected)) {
      const message = messageOf(() => loadConfig(path, {}));
      expect(message.startsWith(`${path} ${reason}`)).toBe(true);
      expect(message).toContain("--config FILE");
    }
  });
});
