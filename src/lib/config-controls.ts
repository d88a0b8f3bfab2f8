import { isRecord, valueAt, type ConfigPath } from "#lib/config-document.ts";
import { nearestName } from "#lib/config-nearest-name.ts";
import { dottedPath, type ConfigReport } from "#lib/config-report.ts";

/** Settings of LiteLLM that protect something and that this version does not act on, by section. */
const controls: Readonly<Record<string, readonly string[]>> = {
  "": words("guardrails policies policy_attachments"),
  litellm_settings: words(`
    banned_keywords_list blocked_user_list default_internal_user_params default_max_internal_user_budget
    default_team_params guardrails key_generation_settings llm_guard_mode
    max_end_user_budget max_end_user_budget_id max_internal_user_budget max_ui_session_budget output_parse_pii
    post_call_rules pre_call_rules presidio_ad_hoc_recognizers redact_messages_in_exceptions`),
  general_settings: words(`
    admin_only_routes allowed_ips allowed_routes custom_auth custom_key_generate custom_key_update custom_sso
    default_team_disabled enable_jwt_auth enable_oauth2_auth enable_oauth2_proxy_auth enforce_user_param
    enforced_params global_max_parallel_requests key_management_settings key_management_system litellm_jwtauth
    max_parallel_requests max_response_size_mb oauth2_config_mappings reject_clientside_metadata_tags
    role_permissions service_account_settings ui_access_mode use_azure_key_vault use_google_kms
    user_mcp_management_mode`),
  router_settings: words("provider_budget_config"),
  "model_list[].litellm_params": words(`
    guardrails max_budget max_parallel_requests message_logging no-log no_log turn_off_message_logging`),
  "model_list[].model_info": words("team_id blocked"),
};

/** Settings that act and protect something. Misspelt or in another section they would not. */
const acting = words(`
  allow_client_side_credentials allow_dynamic_callback_disabling disable_streaming_logging enforce_redaction
  global_disable_no_log_param ignored_controls max_budget max_request_size_mb message_logging must_log redact_user_api_key_info strict_models
  turn_off_message_logging upperbound_key_generate_params`);

/** What the name of a setting that protects something looks like. */
const protective =
  /guard|redact|message_?logging|(^|_)(mask|hide|pii|jwt|enforce|block|banned?|deny|forbid|restrict)|custom_auth|admin_only/;
const protectiveLists =
  /(allow|allowed|white|trusted)_?(ips?|ip_.*|list)$|^ip_?(allow|white|filter)|disable_(admin|llm_api)/;

/** What the name of a setting that keeps content back by being false looks like: `log_messages`, `capture_content`. */
const contentSwitch =
  /message_?logging|(log|capture|send|record|trace|include|store)_?(messages?|prompts?|contents?|inputs?|outputs?)/;

/** Callbacks of LiteLLM that refuse or change calls instead of logging them. */
const guardCallbacks = words(`
  aporia aporia_prompt_injection azure_content_safety banned_keywords blocked_user_check detect_prompt_injection
  google_text_moderation hide_secrets lakera lakera_prompt_injection llamaguard_moderations llmguard_moderations
  openai_moderations presidio`);

/** What the name of an operator's own callback that refuses or changes calls looks like. */
const guardName = /guard|moderation|presidio|redact|(^|[._])pii|hide_secret|injection/;

/** Switches of a model or a team, by which a misspelt one is recognized among names that are not known here. */
const nestedSwitches = words("turn_off_message_logging message_logging redaction redact_classes");

/** Switches of LiteLLM's environment that protect something and that this version does not act on. */
const environmentControls = words("DISABLE_ADMIN_ENDPOINTS DISABLE_ADMIN_UI DISABLE_LLM_API_ENDPOINTS");

/**
 * Stops the start for every setting that protects something and would be ignored, unless
 * `general_settings.ignored_controls` names it. What is off, false or empty asks for nothing.
 */
export function refuseIgnoredControls(
  data: Readonly<Record<string, unknown>>,
  { report, env }: { report: ConfigReport; env: Readonly<Record<string, string | undefined>> },
): void {
  const ignored = toNames(valueAt(data, ["general_settings", "ignored_controls"]));
  function refuse(path: ConfigPath, name: string, reason: string): void {
    if ([name, dottedPath(path)].some((known) => ignored.includes(known))) {
      report.warning(path, "protects something and is ignored, as general_settings.ignored_controls says.");
    } else report.error(path, `${reason} Fix: remove it, or list ${name} in general_settings.ignored_controls.`);
  }
  for (const { path, names } of places(data)) {
    const section = valueAt(data, path);
    if (!isRecord(section)) continue;
    for (const name of Object.keys(section)) {
      if (!asksForSomething(section[name]) || (name === "ui_access_mode" && section[name] === "all")) continue;
      if (names.includes(name))
        refuse([...path, name], name, "protects something, and this version does not act on it.");
    }
  }
  for (const list of ["callbacks", "success_callback", "failure_callback", "input_callback"]) {
    const path = ["litellm_settings", list];
    for (const name of toNames(valueAt(data, path)).filter(isGuard)) {
      refuse(path, name, `has ${name}, which protects something, and this version does not have it.`);
    }
  }
  for (const { path, name } of misspeltSwitches(data)) {
    refuse([...path, name], name, "is not known here, and looks like a switch that keeps content back.");
  }
  if (asksForSomething(data["include"])) {
    const reason = "names files that this version does not read, and they may hold settings that protect something.";
    refuse(["include"], "include", reason);
  }
  for (const name of environmentControls) {
    if (!asksForSomething(env[name]) || ignored.includes(name)) continue;
    refuse([], name, `the environment variable ${name} protects something, and this version does not act on it.`);
  }
}

/** Variables with which people keep content from a vendor, what they say then, and the callbacks that they are for. */
const contentSwitches: readonly { name: string; says: readonly string[]; callbacks: readonly string[] }[] = [
  ...["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "TRACELOOP_TRACE_CONTENT"].map((name) => ({
    name,
    says: ["false", "no_content", "no", "off", "0"],
    callbacks: ["otel", "langfuse_otel"],
  })),
  ...["LANGSMITH_HIDE_INPUTS", "LANGSMITH_HIDE_OUTPUTS", "LANGCHAIN_HIDE_INPUTS", "LANGCHAIN_HIDE_OUTPUTS"].map(
    (name) => ({ name, says: ["true", "yes", "on", "1"], callbacks: ["langsmith"] }),
  ),
];

/** The callbacks whose content such a variable keeps back. */
export function readContentSwitches(env: Readonly<Record<string, string | undefined>>): string[] {
  const found = contentSwitches.filter(({ name, says }) => says.includes(env[name]?.trim().toLowerCase() ?? ""));
  return [...new Set(found.flatMap(({ callbacks }) => callbacks))];
}

/** Whether an unknown setting looks like one that protects something: misspelt, in a wrong place, or of a newer LiteLLM. */
export function isLikeControl(name: string, value: unknown): boolean {
  if (Array.isArray(value) && value.some((item) => isRecord(item) && isLikeControl("", item))) return true;
  if (isRecord(value) && Object.entries(value).some(([inner, said]) => isLikeControl(inner, said))) return true;
  const plain = plainName(name);
  const nearest = acting.includes(plain) ? plain : nearestName(plain, acting);
  if (asksForSomething(value)) return nearest !== null || protective.test(plain) || protectiveLists.test(plain);
  const saysNo = value === false || value === 0 || (typeof value === "string" && value.trim() !== "");
  return (
    saysNo && (nearest?.startsWith("allow_") === true || nearest === "message_logging" || contentSwitch.test(plain))
  );
}

/** The name as LiteLLM would write it: `turnOffMessageLogging` and `TURN-OFF-MESSAGE-LOGGING` mean the same to people. */
export function plainName(name: string): string {
  const split = name.replace(/([a-z0-9])([A-Z])/g, "$1_$2");
  return split
    .trim()
    .toLowerCase()
    .replace(/[-\s]+/g, "_");
}

function isGuard(name: string): boolean {
  const plain = plainName(name);
  return guardCallbacks.includes(plain) || guardName.test(plain);
}

/** Misspelt switches in places where any name may stand: parameters of models and variables of teams. */
function misspeltSwitches(data: Readonly<Record<string, unknown>>): { path: ConfigPath; name: string }[] {
  const teams = valueAt(data, ["litellm_settings", "default_team_settings"]);
  const teamPaths = Array.isArray(teams)
    ? [...teams.keys()].flatMap((index): ConfigPath[] => {
        const path = ["litellm_settings", "default_team_settings", index];
        return [path, [...path, "callback_vars"]];
      })
    : [];
  const models = Array.isArray(data["model_list"]) ? [...data["model_list"].keys()] : [];
  const modelPaths = models.flatMap((index): ConfigPath[] => [
    ["model_list", index, "litellm_params"],
    ["model_list", index, "model_info"],
  ]);
  return [...teamPaths, ...modelPaths].flatMap((path) => {
    const section = valueAt(data, path);
    const isTeam = teamPaths.includes(path);
    const said = isRecord(section) ? Object.entries(section) : [];
    return said.flatMap(([name, value]) => {
      const isKnown = isTeam ? nestedSwitches.includes(name) : isKnownControl(path, name);
      const meant = isKnown ? null : nearestName(plainName(name), nestedSwitches);
      const asks = asksForSomething(value) || (meant === "message_logging" && value === false);
      return meant !== null && asks ? [{ path, name }] : [];
    });
  });
}

/** The controls that an operator knows to be ignored. */
export function ignoredControls(data: Readonly<Record<string, unknown>>): readonly string[] {
  return toNames(valueAt(data, ["general_settings", "ignored_controls"]));
}

/** Whether a section has this control of LiteLLM's, which then needs no other word. */
export function isKnownControl(path: ConfigPath, name: string): boolean {
  const section = path.map((step) => (typeof step === "number" ? "[]" : `.${step}`)).join("");
  return controls[section.replace(/^\./, "")]?.includes(name) ?? false;
}

function places(data: Readonly<Record<string, unknown>>): { path: ConfigPath; names: readonly string[] }[] {
  const models = Array.isArray(data["model_list"]) ? [...data["model_list"].keys()] : [];
  return Object.entries(controls).flatMap(([section, names]): { path: ConfigPath; names: readonly string[] }[] => {
    const inModel = /^model_list\[\]\.(\w+)$/.exec(section)?.[1];
    if (inModel !== undefined) return models.map((index) => ({ path: ["model_list", index, inModel], names }));
    return [{ path: section === "" ? [] : [section], names }];
  });
}

/** Null, false, zero and empty values ask for nothing, however they are written. */
export function asksForSomething(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === 0) return false;
  if (typeof value === "string")
    return !["", "false", "no", "off", "0", "none", "null"].includes(value.trim().toLowerCase());
  return typeof value !== "object" || Object.keys(value).length > 0;
}

function toNames(value: unknown): string[] {
  const list: unknown[] = Array.isArray(value) ? value : typeof value === "string" ? value.split(",") : [];
  return list.flatMap((item) => (typeof item === "string" && item.trim() !== "" ? [item.trim()] : []));
}

function words(text: string): readonly string[] {
  return text.trim().split(/\s+/);
}
