import { isJsonObject, type JsonObject } from "#logging/record.ts";

/**
 * Fields that are the gateway's alone (LiteLLM's own parameters): no upstream ever sees them, whoever sends them. None
 * of them is a parameter of OpenAI's chat API; its `metadata` is the gateway's here.
 */
const gatewayFields = new Set(
  `
  metadata litellm_metadata tags guardrails no_log mock_response mock_tool_calls mock_timeout cache caching
  caching_groups cache_key preset_cache_key ttl s_maxage num_retries max_retries retry_policy retry_strategy fallbacks
  context_window_fallbacks context_window_fallback_dict content_policy_fallbacks disable_fallbacks fallback_depth
  max_fallbacks timeout request_timeout stream_timeout force_timeout cooldown_time fastest_response drop_params
  additional_drop_params allowed_openai_params custom_llm_provider provider_specific_header api_base base_url api_key
  api_version api_type base_model tenant_id client_id client_secret client organization proxy extra_headers headers
  extra_body extra_query model_info model_list model_config model_config_id model_file_id_mapping proxy_server_request
  secret_fields logger_fn verbose max_budget budget_duration max_parallel_requests prompt_id prompt_variables
  prompt_version prompt_label turn_off_message_logging id rpm tpm weight region_name allowed_model_region use_client
  use_in_pass_through use_litellm_proxy stream_response complete_response acompletion text_completion
  standard_callback_dynamic_params configurable_clientside_auth_params ensure_alternating_roles user_continue_message
  assistant_continue_message merge_reasoning_content_in_choices hf_model_name roles initial_prompt_value
  final_prompt_value bos_token eos_token
  `
    .trim()
    .split(/\s+/),
);

const gatewayPrefixes = [
  "user_api_key",
  "litellm_",
  "langfuse_",
  "langsmith_",
  "gcs_",
  "dd_",
  "humanloop_",
  "arize_",
  "posthog_",
  "wandb_",
  "weave_",
  "newrelic_",
  "braintrust_",
  "lunary_",
  "slack_",
  "otel_",
  "aws_",
  "azure_",
  "vertex_",
] as const;

/** True for a body field that must not reach an upstream. */
export function isGatewayField(name: string): boolean {
  const plain = plainName(name);
  return gatewayFields.has(plain) || isPrice(plain) || gatewayPrefixes.some((prefix) => plain.startsWith(prefix));
}

/** LiteLLM's many prices: `input_cost_per_token_above_128k_tokens`, `cache_read_input_token_cost`, … */
function isPrice(name: string): boolean {
  return name.includes("_cost_per_") || name.includes("_token_cost");
}

/** `apiBase`, `baseURL` and `no-log` as `api_base`, `base_url` and `no_log`: a spelling is no way around the list. */
function plainName(name: string): string {
  if (!/[^a-z0-9_]/.test(name)) return name;
  return name
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replaceAll("-", "_")
    .toLowerCase();
}

/** `forwardsMetadata`: the API has a `metadata` of its own, and the gateway's is called `litellm_metadata`. */
export type UpstreamTarget = { model: string; defaults: Readonly<JsonObject>; forwardsMetadata?: boolean };

/** The body as the upstream gets it: the deployment's defaults, then the client's fields, under the upstream's name. */
export function toUpstreamBody(
  body: JsonObject,
  { model, defaults, forwardsMetadata = false }: UpstreamTarget,
): JsonObject {
  const upstream: JsonObject = { ...defaults };
  for (const [name, value] of Object.entries(body)) {
    if (!isGatewayField(name) && name !== "__proto__") upstream[name] = value;
  }
  if (forwardsMetadata && isJsonObject(body.metadata)) upstream.metadata = body.metadata;
  upstream.model = model;
  return upstream;
}
