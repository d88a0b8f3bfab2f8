import { isRecord, valueAt, type ConfigPath } from "#lib/config-document.ts";
import { nearestName } from "#lib/config-nearest-name.ts";
import type { ConfigReport } from "#lib/config-report.ts";
import {
  alertingArgsShape,
  cacheParamsShape,
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
  assistant_settings credential_list files_settings finetune_settings guardrails include mcp_aliases mcp_servers
  mcp_tools prompts search_tools vector_store_registry`);

const litellmIdle = words(`
  audit_log_callbacks content_policy_fallbacks custom_provider_map
  datadog_params default_in_memory_ttl default_internal_user_params default_max_internal_user_budget
  default_redis_ttl default_team_params disable_add_transform_inline_image_block disable_copilot_system_to_assistant
  disable_end_user_cost_tracking disable_end_user_cost_tracking_prometheus_only disable_hf_tokenizer_download
  enable_json_schema_validation enable_key_alias_format_validation enable_preview_features force_ipv4
  global_prompt_directory guardrails key_generation_settings max_end_user_budget max_internal_user_budget
  max_parallel_requests mcp_aliases model_group_settings modify_params post_call_rules priority_reservation_settings
  prometheus_metrics_config public_model_groups require_auth_for_metrics_endpoint responses s3_callback_params
  service_callbacks set_verbose ssl_verify telemetry
  use_chat_completions_url_for_anthropic_messages`);

const cacheIdle = words(`
  host port password username url ssl redis_startup_nodes service_name sentinel_nodes max_connections
  similarity_threshold s3_bucket_name s3_region_name s3_endpoint_url disk_cache_dir redis_flush_size`);

const generalIdle = words(`
  admin_only_routes alert_to_webhook_url alert_types alerting_threshold
  allow_requests_on_db_unavailable allow_user_auth allowed_ips allowed_routes always_include_stream_usage
  background_health_checks
  custom_auth custom_key_generate custom_sso database_connection_pool_limit database_connection_timeout database_type
  default_team_disabled disable_adding_master_key_hash_to_db disable_master_key_return disable_prisma_schema_update
  disable_reset_budget disable_responses_id_security disable_retry_on_max_parallel_request_limit_error
  disable_spend_logs disable_spend_updates enable_jwt_auth enable_oauth2_auth enable_oauth2_proxy_auth
  enforce_user_param enforced_params forward_client_headers_to_llm_api forward_openai_org_id
  global_max_parallel_requests health_check_details health_check_interval infer_model_from_keys
  key_management_settings key_management_system litellm_jwtauth litellm_license max_parallel_requests
  max_response_size_mb maximum_spend_logs_retention_interval maximum_spend_logs_retention_period
  oauth2_config_mappings pass_through_endpoints proxy_batch_polling_interval proxy_batch_write_at
  proxy_budget_rescheduler_max_time proxy_budget_rescheduler_min_time public_routes reject_clientside_metadata_tags
  role_permissions service_account_settings spend_report_frequency store_model_in_db store_prompts_in_spend_logs
  supported_db_objects ui_access_mode use_azure_key_vault use_client_credentials_pass_through_routes use_google_kms
  use_redis_transaction_buffer user_header_mappings user_header_name user_mcp_management_mode`);

const alertingArgsIdle = words(`
  budget_alert_ttl daily_report_frequency log_to_console major_outage_alert_threshold max_outage_alert_list_size
  minor_outage_alert_threshold outage_alert_ttl region_outage_alert_ttl report_check_interval`);

const routerIdle = words(`
  cache_kwargs cache_responses caching_groups client_ttl content_policy_fallbacks default_litellm_params
  default_max_parallel_requests default_priority enable_pre_call_checks enable_tag_filtering max_fallbacks
  optional_pre_call_checks polling_interval provider_budget_config redis_host redis_password redis_port redis_url
  retry_after retry_policy routing_strategy_args set_verbose tag_filtering_match_any`);

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
  { path: ["retention"], acting: Object.keys(retentionShape), idle: [] },
];

/**
 * Warns of every key that does nothing: LiteLLM's that this version does not act on, and unknown ones, with the
 * section where the key belongs or the known name that is nearest.
 */
export function warnOfIdleKeys(data: Readonly<Record<string, unknown>>, report: ConfigReport): void {
  for (const section of sections) warnInSection(valueAt(data, section.path), section, report);
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
    warnInSection(model, { path: ["model_list", index], acting: Object.keys(modelShape), idle: [] }, report);
  }
}

function warnInSection(value: unknown, section: Section, report: ConfigReport): void {
  if (!isRecord(value)) return;
  for (const key of Object.keys(value)) {
    const path = [...section.path, key];
    // Top-level keys that begin with x- are the usual place for anchors.
    if (section.acting.includes(key) || (section.path.length === 0 && key.startsWith("x-"))) continue;
    if (section.idle.includes(key)) report.warning(path, "is accepted but has no effect in this version.");
    else report.warning(path, `is not a known key and is ignored.${advice(key, section)}`);
  }
}

function advice(key: string, section: Section): string {
  const home = sections.find(({ path, acting }) => path.length > 0 && acting.includes(key));
  if (home) return ` Fix: indent it below ${home.path.join(".")}:, where it belongs.`;
  const topLevel = Object.keys(configShape).includes(key);
  if (topLevel) return " Fix: begin the line at the left margin, it is a section of its own.";
  const nearest = nearestName(key, [...section.acting, ...section.idle]);
  return nearest === null ? "" : ` Fix: did you mean ${nearest}?`;
}

function words(text: string): readonly string[] {
  return text.trim().split(/\s+/);
}
