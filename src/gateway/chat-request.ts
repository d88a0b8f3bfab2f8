import { z } from "zod";
import { isJsonObject, type Json, type JsonObject } from "#logging/record.ts";

/** The body of a chat completion as it came; only what the gateway itself needs was checked. */
export type ChatRequest = JsonObject & { model: string; messages: Json[] };

const checkedFields = z.object({
  model: z.string({ error: "a model is required" }).min(1, "a model is required"),
  messages: z.array(z.unknown(), { error: "must be a list of messages" }),
  stream: z.boolean({ error: "must be true or false" }).nullish(),
});

/** Everything that is not checked here is the upstream's to judge, so the body is passed on, not rebuilt. */
export const ChatRequest = z.custom<ChatRequest>(isJsonObject, "The body must be a JSON object.").check((payload) => {
  const parsed = checkedFields.safeParse(payload.value);
  for (const { message, path } of parsed.error?.issues ?? []) {
    payload.issues.push({ code: "custom", message, path, input: payload.value });
  }
});

/** Fields that are the gateway's alone: no upstream ever sees them, whoever sends them. */
const gatewayFields = new Set([
  "metadata",
  "litellm_metadata",
  "tags",
  "guardrails",
  "no-log",
  "mock_response",
  "mock_tool_calls",
  "mock_timeout",
  "cache",
  "caching",
  "ttl",
  "s-maxage",
  "num_retries",
  "max_retries",
  "retry_policy",
  "fallbacks",
  "context_window_fallbacks",
  "content_policy_fallbacks",
  "disable_fallbacks",
  "timeout",
  "request_timeout",
  "force_timeout",
  "drop_params",
  "additional_drop_params",
  "allowed_openai_params",
  "custom_llm_provider",
  "api_base",
  "base_url",
  "apiBase",
  "api_key",
  "api_version",
  "api_type",
  "azure_endpoint",
  "azure_ad_token",
  "organization",
  "proxy",
  "extra_headers",
  "headers",
  "extra_body",
  "extra_query",
  "litellm_params",
  "model_info",
  "model_list",
  "model_config_id",
  "proxy_server_request",
  "secret_fields",
  "logger_fn",
  "verbose",
  "input_cost_per_token",
  "output_cost_per_token",
  "input_cost_per_second",
  "output_cost_per_second",
  "prompt_id",
  "prompt_variables",
  "prompt_version",
  "turn_off_message_logging",
  "preset_cache_key",
  "no_log",
  "id",
  "rpm",
  "tpm",
  "region_name",
  "allowed_model_region",
  "use_client",
  "stream_response",
  "standard_callback_dynamic_params",
]);

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
  "vertex_",
] as const;

/** True for a body field that must not reach an upstream. */
export function isGatewayField(name: string): boolean {
  return gatewayFields.has(name) || gatewayPrefixes.some((prefix) => name.startsWith(prefix));
}

/** The body as the upstream gets it: the deployment's defaults, then the client's fields, under the upstream's name. */
export function toUpstreamBody(
  body: JsonObject,
  { model, defaults }: { model: string; defaults: Readonly<JsonObject> },
): JsonObject {
  const upstream: JsonObject = { ...defaults };
  for (const [name, value] of Object.entries(body)) {
    if (!isGatewayField(name)) upstream[name] = value;
  }
  upstream.model = model;
  return upstream;
}
