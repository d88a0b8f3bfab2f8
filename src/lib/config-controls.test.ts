import { expect, test } from "vitest";
import { parseConfig } from "#lib/config.ts";

function faultOf(text: string, env: Record<string, string> = {}): string | null {
  try {
    parseConfig(text, "config.yaml", env);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const model = (params: string, info = "") =>
  `model_list:\n  - model_name: m\n    litellm_params: { model: openai/x, ${params} }\n    model_info: { ${info} }\n`;

const inGeneral = (setting: string) => `general_settings:\n  ${setting}\n`;
const inLitellm = (setting: string) => `litellm_settings:\n  ${setting}\n`;

/** Controls of LiteLLM that do not act here, each with the text that switches it on. */
const ignoredControls: Record<string, string> = {
  guardrails: "guardrails:\n  - guardrail_name: pii\n    litellm_params: { guardrail: presidio, mode: pre_call }\n",
  "guardrails of litellm_settings": inLitellm("guardrails: [{ pii: { callbacks: [presidio], default_on: true } }]"),
  custom_auth: inGeneral("custom_auth: custom_auth.user_api_key_auth"),
  enable_jwt_auth: inGeneral("enable_jwt_auth: True"),
  "enable_jwt_auth as text": inGeneral('enable_jwt_auth: "yes"'),
  "enable_jwt_auth as a number": inGeneral("enable_jwt_auth: 1"),
  allowed_ips: inGeneral('allowed_ips: ["10.0.0.1"]'),
  admin_only_routes: inGeneral('admin_only_routes: ["/key/generate"]'),
  allowed_routes: inGeneral('allowed_routes: ["/chat/completions"]'),
  enforced_params: inGeneral("enforced_params: [user]"),
  enforce_user_param: inGeneral("enforce_user_param: true"),
  reject_clientside_metadata_tags: inGeneral("reject_clientside_metadata_tags: true"),
  max_response_size_mb: inGeneral("max_response_size_mb: 5"),
  ui_access_mode: inGeneral("ui_access_mode: admin_only"),
  key_management_system: inGeneral("key_management_system: hashicorp_vault"),
  blocked_user_list: inLitellm("blocked_user_list: [u1]"),
  banned_keywords_list: inLitellm("banned_keywords_list: [secret]"),
  max_end_user_budget: inLitellm("max_end_user_budget: 0.5"),
  key_generation_settings: inLitellm(
    "key_generation_settings: { team_key_generation: { allowed_team_member_roles: [admin] } }",
  ),
  redact_messages_in_exceptions: inLitellm("redact_messages_in_exceptions: true"),
  hide_secrets: inLitellm("callbacks: [hide_secrets]"),
  detect_prompt_injection: inLitellm("callbacks: detect_prompt_injection"),
  provider_budget_config:
    "router_settings:\n  provider_budget_config: { openai: { budget_limit: 1, time_period: 1d } }\n",
  "turn_off_message_logging of a model": model("turn_off_message_logging: true"),
  "guardrails of a model": model("guardrails: [pii]"),
  "guardrails as the word all": inLitellm("guardrails: all"),
  "team_id of a model": model("", "team_id: t1"),
};

test.each(Object.entries(ignoredControls))("%s stops the start until it is listed as ignored", (name, text) => {
  const control = name.split(" ")[0] ?? "";
  const fault = faultOf(text);
  expect(fault).toMatch(/^config\.yaml:\d+ .*protects something.*Fix: remove it, or list/);
  expect(fault).toContain(control);
  const isGeneral = text.startsWith("general_settings:");
  const listed = isGeneral
    ? `${text}  ignored_controls: [${control}]\n`
    : `${text}general_settings: { ignored_controls: ${control} }\n`;
  expect(faultOf(listed)).toBeNull();
  expect(parseConfig(listed, "config.yaml", {}).warnings.join("\n")).toMatch(/is ignored, as general_settings/);
});

test("a portal that is open to everybody asks for nothing", () => {
  expect(faultOf("general_settings: { ui_access_mode: all }\n")).toBeNull();
});

test.each(["guardrails: []", "guardrails:", "guardrails: {}"])("%s asks for nothing", (text) => {
  expect(faultOf(`${text}\n`)).toBeNull();
});
test.each(["false", "False", "no", '"off"', '"false"', "0", "null", '""', "[]"])(
  "a control that is %s asks for nothing",
  (value) => {
    expect(faultOf(inGeneral(`enable_jwt_auth: ${value}`))).toBeNull();
    expect(faultOf(model(`turn_off_message_logging: ${value}`))).toBeNull();
  },
);

test("a reference counts as what it refers to", () => {
  const text = inGeneral("enable_jwt_auth: os.environ/JWT");
  expect(faultOf(text, { JWT: "true" })).toContain("enable_jwt_auth");
  expect(faultOf(text, { JWT: "false" })).toBeNull();
  expect(faultOf(text)).toBeNull();
});

test.each([
  ["misspelt", inLitellm("turn_off_mesage_logging: true"), "did you mean turn_off_message_logging"],
  ["in another section", inGeneral("turn_off_message_logging: true"), "litellm_settings"],
  ["in another section", inLitellm("enforce_redaction: true"), "general_settings"],
  ["at the margin", "must_log: true\n", "general_settings"],
  ["without its callback", "callback_settings: { message_logging: false }\n", "expected a mapping"],
  ["in a misspelt section", "litellm_setting: { turn_off_message_logging: true }\n", "litellm_settings"],
  ["in capitals", inLitellm("TURN_OFF_MESSAGE_LOGGING: true"), "did you mean turn_off_message_logging"],
  ["in camel case", inLitellm("turnOffMessageLogging: true"), "did you mean turn_off_message_logging"],
  ["misspelt and false", inLitellm("allow_dynamic_callback_disable: false"), "allow_dynamic_callback_disabling"],
  ["misspelt and false", inGeneral("allow_client_side_credential: false"), "allow_client_side_credentials"],
  ["misspelt", inLitellm("global_disable_no_log_params: true"), "global_disable_no_log_param"],
  ["misspelt below a callback", "callback_settings: { otel: { mesage_logging: False } }\n", "message_logging"],
  ["misspelt below a callback", "callback_settings: { otel: { messageLogging: no } }\n", "message_logging"],
  ["of another name below a callback", "callback_settings: { otel: { log_prompts: false } }\n", "log_prompts"],
  ["nested below a callback", "callback_settings: { otel: { params: { message_logging: false } } }\n", "params"],
  ["misspelt below a model", model("turn_of_message_logging: true"), "turn_of_message_logging"],
  ["below a model", model("", "turn_off_message_logging: true"), "turn_off_message_logging"],
  [
    "misspelt below a team",
    inLitellm("default_team_settings: [{ team_id: t, turn_of_message_logging: true }]"),
    "turn_of_message_logging",
  ],
  [
    "in a misspelt list",
    inLitellm("default_team_setting: [{ team_id: t, turn_off_message_logging: true }]"),
    "default_team_settings",
  ],
  ["of another name", inGeneral('ip_allowlist: ["10.0.0.1"]'), "ip_allowlist"],
  ["of another name", inGeneral('allow_ips: ["10.0.0.1"]'), "allow_ips"],
  ["in the settings instead of the environment", inGeneral("disable_admin_ui: true"), "disable_admin_ui"],
  ["a callback in capitals", inLitellm("callbacks: [Presidio]"), "Presidio"],
  ["a callback of the operator", inLitellm("callbacks: my_guardrail.handler"), "my_guardrail.handler"],
  ["a callback before the call", inLitellm("input_callback: [lakera_prompt_injection]"), "lakera_prompt_injection"],
  ["in a file that is not read", "include: [privacy.yaml]\n", "include"],
  ["of a newer version", inGeneral("enforce_data_residency: eu"), "looks like one that protects"],
])("a switch that protects and is %s stops the start", (...[, text, said]) => {
  expect(faultOf(text)).toContain(said);
});

test.each(["False", '"false"', "no", "0", "off"])("message_logging: %s is read as off", (value) => {
  const { config } = parseConfig(`callback_settings: { otel: { message_logging: ${value} } }\n`, "config.yaml", {});
  expect(config.callback_settings["otel"]).toEqual({ message_logging: false });
});

test("environment variables that protect act, or stop the start", () => {
  expect(faultOf("{}", { DISABLE_ADMIN_ENDPOINTS: "true" })).toContain("DISABLE_ADMIN_ENDPOINTS");
  expect(faultOf("{}", { DISABLE_ADMIN_ENDPOINTS: "false" })).toBeNull();
  const read = (env: Record<string, string>) => parseConfig("{}", "config.yaml", env).config.callback_settings;
  expect(read({ OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT: "False" })).toMatchObject({
    otel: { message_logging: false },
  });
  expect(read({ LANGSMITH_HIDE_INPUTS: "true" })).toMatchObject({ langsmith: { message_logging: false } });
  expect(read({ OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT: "true" })).toEqual({});
});

test("what LiteLLM reads of a model and does nothing here is named", () => {
  const { warnings } = parseConfig(model("organization: org-1, temperature: 1"), "config.yaml", {});
  expect(warnings).toEqual([expect.stringMatching(/^config\.yaml:3 .*organization: .*no effect/)]);
});
