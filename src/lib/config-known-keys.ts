import { isRecord, valueAt, type ConfigPath } from "#lib/config-document.ts";
import { ignoredControls, isKnownControl, isLikeControl, plainName } from "#lib/config-controls.ts";
import { nearestName } from "#lib/config-nearest-name.ts";
import type { ConfigReport } from "#lib/config-report.ts";
import {
  alertingArgsShape,
  cacheParamsShape,
  callbackSettingsShape,
  configShape,
  deliveryShape,
  generalSettingsShape,
  litellmSettingsShape,
  loggingShape,
  modelShape,
  retentionShape,
  routerSettingsShape,
} from "#lib/config-schema.ts";

/** A section whose keys are known: those that act, and LiteLLM's that do nothing here. */
type Section = { path: ConfigPath; acting: readonly string[]; idle: readonly string[] };

const topIdle = words(`
  assistant_settings credential_list files_settings finetune_settings include mcp_aliases mcp_servers mcp_tools
  prompts search_tools vector_store_registry`);

const litellmIdle = words(`
  audit_log_callbacks content_policy_fallbacks custom_provider_map default_in_memory_ttl default_redis_ttl
  disable_add_transform_inline_image_block disable_copilot_system_to_assistant disable_end_user_cost_tracking
  disable_end_user_cost_tracking_prometheus_only disable_hf_tokenizer_download enable_json_schema_validation
  enable_preview_features force_ipv4 global_prompt_directory max_parallel_requests mcp_aliases model_group_settings
  modify_params priority_reservation_settings prometheus_metrics_config public_model_groups
  require_auth_for_metrics_endpoint responses s3_callback_params service_callbacks set_verbose ssl_verify telemetry
  use_chat_completions_url_for_anthropic_messages`);

const cacheIdle = words(`
  host port password username url ssl redis_startup_nodes service_name sentinel_nodes max_connections
  similarity_threshold s3_bucket_name s3_region_name s3_endpoint_url disk_cache_dir redis_flush_size`);

const generalIdle = words(`
  alert_to_webhook_url alert_types alerting_threshold allow_requests_on_db_unavailable allow_user_auth
  always_include_stream_usage background_health_checks database_connection_pool_limit database_connection_timeout
  database_type disable_adding_master_key_hash_to_db disable_master_key_return disable_prisma_schema_update
  disable_reset_budget disable_responses_id_security disable_retry_on_max_parallel_request_limit_error
  disable_spend_logs disable_spend_updates forward_client_headers_to_llm_api forward_openai_org_id
  health_check_details health_check_interval infer_model_from_keys litellm_license
  maximum_spend_logs_retention_interval maximum_spend_logs_retention_period pass_through_endpoints
  proxy_batch_polling_interval proxy_batch_write_at proxy_budget_rescheduler_max_time
  proxy_budget_rescheduler_min_time public_routes spend_report_frequency store_model_in_db
  store_prompts_in_spend_logs supported_db_objects use_client_credentials_pass_through_routes
  use_redis_transaction_buffer user_header_mappings user_header_name`);

const alertingArgsIdle = words(`
  budget_alert_ttl daily_report_frequency log_to_console major_outage_alert_threshold max_outage_alert_list_size
  minor_outage_alert_threshold outage_alert_ttl region_outage_alert_ttl report_check_interval`);

const routerIdle = words(`
  cache_kwargs cache_responses caching_groups client_ttl content_policy_fallbacks default_litellm_params
  default_max_parallel_requests default_priority enable_pre_call_checks enable_tag_filtering max_fallbacks
  optional_pre_call_checks polling_interval redis_host redis_password redis_port redis_url retry_after retry_policy
  routing_strategy_args set_verbose tag_filtering_match_any`);

/** What LiteLLM reads of a model and no upstream gets. Anything else of `litellm_params` is a parameter of the upstream. */
const paramsIdle = words(`
  additional_drop_params allowed_openai_params api_type budget_duration client_id client_secret cooldown_time
  configurable_clientside_auth_params custom_llm_provider_version default_api_key_rpm_limit extra_headers fallbacks
  headers hf_model_name litellm_credential_name max_retries merge_reasoning_content_in_choices model_config
  num_retries organization region_name retry_policy tags tenant_id use_in_pass_through use_litellm_proxy
  azure_ad_token azure_password azure_scope azure_username`);

/** LiteLLM's strategies that this version does not have. */
const shuffledStrategies = ["latency-based-routing", "cost-based-routing"];

const sections: readonly Section[] = [
  { path: [], acting: [...Object.keys(configShape), "environment_variables"], idle: topIdle },
  { path: ["litellm_settings"], acting: Object.keys(litellmSettingsShape), idle: litellmIdle },
  { path: ["litellm_settings", "cache_params"], acting: Object.keys(cacheParamsShape), idle: cacheIdle },
  { path: ["general_settings"], acting: Object.keys(generalSettingsShape), idle: generalIdle },
  { path: ["general_settings", "delivery"], acting: Object.keys(deliveryShape), idle: [] },
  { path: ["general_settings", "alerting_args"], acting: Object.keys(alertingArgsShape), idle: alertingArgsIdle },
  { path: ["router_settings"], acting: Object.keys(routerSettingsShape), idle: routerIdle },
  { path: ["logging"], acting: Object.keys(loggingShape), idle: [] },
  { path: ["litellm_settings", "datadog_params"], acting: Object.keys(callbackSettingsShape), idle: [] },
  { path: ["retention"], acting: Object.keys(retentionShape), idle: [] },
];

/**
 * Warns of every key that does nothing: LiteLLM's that this version does not act on, and unknown ones, with the
 * section where the key belongs or the known name that is nearest.
 */
export function warnOfIdleKeys(data: Readonly<Record<string, unknown>>, report: ConfigReport): void {
  const ignored = ignoredControls(data);
  for (const section of sections) warnInSection(valueAt(data, section.path), section, { report, ignored });
  const kinds = data["callback_settings"];
  for (const name of isRecord(kinds) ? Object.keys(kinds) : []) {
    const path = ["callback_settings", name];
    const ofKind = { path, acting: Object.keys(callbackSettingsShape), idle: [] };
    warnInSection(valueAt(data, path), ofKind, { report, ignored });
  }
  const strategy = valueAt(data, ["router_settings", "routing_strategy"]);
  if (typeof strategy === "string" && shuffledStrategies.includes(strategy)) {
    report.warning(["router_settings", "routing_strategy"], `${strategy} is not known here: deployments are shuffled.`);
  }
  const cachePath = ["litellm_settings", "cache_params", "type"];
  const cacheType = valueAt(data, cachePath);
  if (typeof cacheType === "string" && !["local", "redis"].includes(cacheType)) {
    report.warning(cachePath, `${cacheType} is not known here: Redis is used where REDIS_URL is set, else memory.`);
  }
  const models = data["model_list"];
  if (!Array.isArray(models)) return;
  for (const [index, model] of models.entries()) {
    const path = ["model_list", index];
    warnInSection(model, { path, acting: Object.keys(modelShape), idle: [] }, { report, ignored });
    const params = valueAt(model, ["litellm_params"]);
    if (!isRecord(params)) continue;
    for (const key of Object.keys(params).filter((name) => paramsIdle.includes(name))) {
      report.warning([...path, "litellm_params", key], "is accepted but has no effect in this version.");
    }
  }
}

type Heard = { report: ConfigReport; ignored: readonly string[] };

function warnInSection(value: unknown, section: Section, { report, ignored }: Heard): void {
  if (!isRecord(value)) return;
  for (const key of Object.keys(value)) {
    const path = [...section.path, key];
    // Top-level keys that begin with x- are the usual place for anchors.
    if (section.acting.includes(key) || (section.path.length === 0 && key.startsWith("x-"))) continue;
    if (isKnownControl(section.path, key)) continue;
    const isSafe = section.idle.includes(key) || ignored.includes(key) || !isLikeControl(key, value[key]);
    if (!isSafe) {
      const fix = advice(key, section) || " Fix: remove it.";
      const other = `Or list ${key} in general_settings.ignored_controls.`;
      report.error(path, `is not a known key, and looks like one that protects something.${fix} ${other}`);
    } else if (section.idle.includes(key)) report.warning(path, "is accepted but has no effect in this version.");
    else report.warning(path, `is not a known key and is ignored.${advice(key, section)}`);
  }
}

function advice(key: string, section: Section): string {
  const home = sections.find(({ path, acting }) => path.length > 0 && acting.includes(key));
  if (home) return ` Fix: indent it below ${home.path.join(".")}:, where it belongs.`;
  const topLevel = Object.keys(configShape).includes(key);
  if (topLevel) return " Fix: begin the line at the left margin, it is a section of its own.";
  const nearest = nearestName(plainName(key), [...section.acting, ...section.idle]);
  return nearest === null ? "" : ` Fix: did you mean ${nearest}?`;
}

function words(text: string): readonly string[] {
  return text.trim().split(/\s+/);
}
