import { describe, expect, test } from "vitest";
import { chat } from "#gateway/operations/chat.ts";
import { isGatewayField, toUpstreamBody } from "#gateway/upstream-body.ts";
import type { JsonObject } from "#logging/record.ts";

const messages = [{ role: "user", content: "hi" }];
const target = { model: "gpt-4o-2024-08-06", defaults: {} };

function names(fields: string): string[] {
  return fields.trim().split(/\s+/);
}

describe("the body as it came", () => {
  test("is passed on whole, fields that nobody knows included", () => {
    const body = { model: "m", messages, stream: null, something_new: { a: [1] } };
    expect(chat.body.parse(body)).toBe(body);
  });

  test.each<[unknown, string]>([
    [{ model: "", messages }, "model"],
    [{ model: "m" }, "messages"],
    [{ model: "m", messages: "hi" }, "messages"],
    [{ model: "m", messages, stream: "true" }, "stream"],
  ])("%j is refused, naming the field", (body, field) => {
    expect(chat.body.safeParse(body).error?.issues.map((issue) => issue.path[0])).toEqual([field]);
  });

  test.each([[null], [[]], ["text"], [1]])("%j is no body", (body) => {
    expect(chat.body.safeParse(body).success).toBe(false);
  });
});

describe("what no upstream sees", () => {
  const gateways = names(`
    metadata litellm_metadata tags guardrails no-log mock_response cache num_retries fallbacks litellm_session_id
    litellm_trace_id litellm_call_id user_api_key user_api_key_team_id user_api_key_dict proxy_server_request
    turn_off_message_logging litellm_disabled_callbacks
    langfuse_public_key langfuse_secret langfuse_secret_key langfuse_host langfuse_environment langfuse_prompt_version
    gcs_bucket_name gcs_path_service_account langsmith_api_key langsmith_project langsmith_base_url
    langsmith_sampling_rate langsmith_tenant_id humanloop_api_key arize_api_key arize_space_key arize_space_id
    posthog_api_key posthog_api_url wandb_api_key weave_project_id dd_api_key dd_site dd_agent_host dd_agent_port
    newrelic_api_key braintrust_api_key lunary_public_key slack_webhook_url`);
  const redirecting = names(`
    api_base base_url apiBase baseURL baseUrl api-base API_BASE api_key apiKey api-key api_version azure_endpoint
    azureEndpoint azure_ad_token organization proxy extra_headers extraHeaders headers extra_body litellm_params
    custom_llm_provider model_list aws_access_key_id vertex_project client_secret provider_specific_header`);

  test.each([...gateways, ...redirecting])("%s", (name) => {
    expect(isGatewayField(name)).toBe(true);
    expect(Object.keys(toUpstreamBody({ model: "m", messages, [name]: "x" }, target))).toEqual(["model", "messages"]);
  });

  test("a prototype is no field", () => {
    const body = Object.fromEntries<JsonObject | string>([
      ["model", "m"],
      ["__proto__", { api_base: "http://x" }],
    ]);
    expect(Object.keys(body)).toContain("__proto__");
    expect(Object.getPrototypeOf(toUpstreamBody(body, target))).toBe(Object.prototype);
  });
});

test.each(
  names(`
    user tools tool_choice functions function_call response_format logit_bias store stream stream_options temperature
    top_p n stop max_tokens max_completion_tokens presence_penalty frequency_penalty seed logprobs top_logprobs
    parallel_tool_calls service_tier reasoning_effort modalities audio prediction verbosity web_search_options
    prompt_cache_key safety_identifier prompt_cache_retention thinking top_k min_p repetition_penalty guided_json
    chat_template_kwargs chat_template include_reasoning provider models route transforms prompt prompts`),
)("%s reaches the upstream", (name) => {
  expect(toUpstreamBody({ model: "m", messages, [name]: { a: 1 } }, target)[name]).toEqual({ a: 1 });
});

test("the deployment's defaults give way to the client, and its model name to nobody", () => {
  const body = { model: "public", messages, temperature: 0 };
  const defaults = { temperature: 1, max_tokens: 5, model: "other" };
  expect(toUpstreamBody(body, { model: "upstream", defaults })).toEqual({
    model: "upstream",
    messages,
    temperature: 0,
    max_tokens: 5,
  });
  expect(body.model).toBe("public");
});

test("an API with a metadata of its own gets the client's, and never the gateway's", () => {
  const body = { model: "m", metadata: { user_id: "u" }, litellm_metadata: { session_id: "s" } };
  expect(toUpstreamBody(body, { ...target, forwardsMetadata: true })).toEqual({
    model: "gpt-4o-2024-08-06",
    metadata: { user_id: "u" },
  });
});
