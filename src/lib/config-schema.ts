import { z } from "zod";
import { isRecord } from "#lib/config-document.ts";
import { TeamSettings } from "#lib/config-team-settings.ts";
import { masterKeysMax, splitMasterKeys } from "#lib/master-key.ts";

/**
 * The structure of `config.yaml`, in the names of the file: LiteLLM's, and ours where LiteLLM has none. Rooms check
 * what the values mean. Keys that are not listed are kept as given.
 */

const text = z.string().min(1, "is empty. Fix: give it a value or remove the line.");
const flag = z.preprocess(toBoolean, z.boolean());
const seconds = number("must be 0 or more seconds. Fix: write 0 or a larger number.");
const amount = number("must be 0 or more. Fix: write 0 or a larger number.");
const count = z.preprocess(toNumber, z.number().int().min(0, "must be 0 or more. Fix: write 0 or a larger number."));
const positive = z.preprocess(toNumber, z.number().gt(0, "must be more than 0. Fix: write a larger number."));
const duration = text.regex(
  /^\d{1,12}(mo|[smhdw])$/,
  "is no duration. Fix: write a number and s, m, h, d, w or mo, such as 30d.",
);
const texts = z.preprocess(toList, z.array(text));
const anyMapping = z.record(z.string(), z.unknown());
const masterKey = text
  .refine(
    (keys) => splitMasterKeys(keys).every((key) => /^[\x21-\x7e]{4,}$/.test(key)),
    "cannot be used as a key. Fix: use 4 characters or more, without spaces and without accents.",
  )
  .refine(
    (keys) => splitMasterKeys(keys).length <= masterKeysMax,
    "lists too many keys. Fix: list the new key and the former one, separated by a comma.",
  );
const envPattern = text.regex(
  /^[A-Za-z0-9_]*\*?$/,
  "is no pattern of variable names. Fix: write a name such as LANGFUSE_HOST, or a beginning such as LANGFUSE_*.",
);

/** LiteLLM's own price list writes it as a text now and then. What is no such number is no limit, as before. */
const outputTokens = z.preprocess(toNumber, z.number().gt(0).max(1e9)).optional().catch(undefined);

/** LiteLLM's prices of a model, in USD. */
const priceShape = {
  input_cost_per_token: amount.optional(),
  output_cost_per_token: amount.optional(),
  cache_read_input_token_cost: amount.optional(),
  cache_creation_input_token_cost: amount.optional(),
  output_cost_per_reasoning_token: amount.optional(),
  input_cost_per_audio_token: amount.optional(),
  output_cost_per_audio_token: amount.optional(),
  input_cost_per_image_token: amount.optional(),
  output_cost_per_image_token: amount.optional(),
  input_cost_per_image: amount.optional(),
  output_cost_per_image: amount.optional(),
  input_cost_per_second: amount.optional(),
  output_cost_per_second: amount.optional(),
  input_cost_per_character: amount.optional(),
  input_cost_per_query: amount.optional(),
};

export const modelShape = {
  model_name: text,
  litellm_params: section({
    model: text,
    api_base: text.optional(),
    /** The same as `api_base`. */
    base_url: text.optional(),
    api_key: text.optional(),
    api_version: text.optional(),
    timeout: seconds.optional(),
    stream_timeout: seconds.optional(),
    mock_response: z.string().optional(),
    drop_params: flag.optional(),
    rpm: count.optional(),
    tpm: count.optional(),
    weight: amount.optional(),
    ...priceShape,
  }),
  model_info: section({
    id: text.optional(),
    mode: text.optional(),
    /** The model's name in the price list, where the deployment has another. */
    base_model: text.optional(),
    /** How long an answer may be at most, in tokens. It bounds what is held back in budgets. */
    max_output_tokens: outputTokens,
    max_tokens: outputTokens,
    ...priceShape,
  }),
};

/** One entry of `model_list`. */
export const Model = section(modelShape);

/** Where an entry stands in the file, and the environment variable that its key came from. */
const source = z.object({ place: z.string(), key_variable: z.string().optional() }).optional();

const modelLists = z.array(z.record(z.string(), texts)).default([]);

/** Which models stand in for one that fails; LiteLLM reads them in two places. */
const fallbackShape = {
  fallbacks: modelLists,
  context_window_fallbacks: modelLists,
  default_fallbacks: texts.default([]),
  allowed_fails: count.optional(),
  cooldown_time: seconds.optional(),
};

/** How calls are spread over deployments. */
export const routerSettingsShape = {
  ...fallbackShape,
  routing_strategy: z
    .enum([
      "simple-shuffle",
      "least-busy",
      "usage-based-routing",
      "usage-based-routing-v2",
      "latency-based-routing",
      "cost-based-routing",
    ])
    .default("simple-shuffle"),
  num_retries: count.optional(),
  timeout: seconds.optional(),
  stream_timeout: seconds.optional(),
  disable_cooldowns: flag.default(false),
  model_group_alias: z.record(z.string(), z.union([text, z.looseObject({ model: text })])).default({}),
};

/** The cache of answers. `type` is not needed: answers are in Redis where REDIS_URL is set. */
export const cacheParamsShape = {
  type: text.optional(),
  ttl: positive.optional(),
  namespace: text.optional(),
  mode: z.enum(["default_on", "default_off"]).default("default_on"),
  supported_call_types: texts.optional(),
};

/** What can be said of a kind of callback. */
export const callbackSettingsShape = {
  /** False: its records have no content. True says nothing. */
  message_logging: flag.optional(),
  /** True: its records have no content. False says nothing. */
  turn_off_message_logging: flag.optional(),
};

export const litellmSettingsShape = {
  /** LiteLLM's own place for the settings of `datadog`. */
  datadog_params: section(callbackSettingsShape).optional(),
  cache: flag.default(false),
  cache_params: section(cacheParamsShape),
  success_callback: z.array(z.string()).default([]),
  failure_callback: z.array(z.string()).default([]),
  /** For both outcomes. */
  callbacks: z.array(z.string()).default([]),
  default_team_settings: z.array(TeamSettings).default([]),
  turn_off_message_logging: flag.default(false),
  redact_user_api_key_info: flag.default(false),
  allow_client_message_redaction_opt_out: flag.default(false),
  global_disable_no_log_param: flag.default(false),
  allow_dynamic_callback_disabling: flag.default(true),
  disable_streaming_logging: flag.default(false),
  langfuse_default_tags: texts.default([]),
  /** Client metadata whose values survive redaction of content. */
  redaction_keep_metadata_keys: texts.default([]),
  rewrite_model_name: flag.default(false),
  request_timeout: seconds.optional(),
  num_retries: count.optional(),
  ...fallbackShape,
  drop_params: flag.default(false),
  /** What all calls together may cost in USD, and when that begins anew; 0: no bound. */
  max_budget: amount.optional(),
  budget_duration: duration.optional(),
  store_audit_logs: flag.default(true),
  json_logs: flag.optional(),
  default_key_generate_params: anyMapping.optional(),
  upperbound_key_generate_params: anyMapping.optional(),
};

/** How hard a destination is tried. Further numbers are the delivery's own. */
export const deliveryShape = {
  tries_max: positive.default(20),
  age_max_hours: positive.default(72),
  retry_min_seconds: positive.default(1),
  retry_max_seconds: positive.default(300),
};

/** When a destination is told of. */
export const alertingArgsShape = {
  destination_failing_seconds: seconds.default(60),
  dead_letters_minutes: amount.default(60),
};

export const generalSettingsShape = {
  master_key: masterKey.optional(),
  database_url: text.optional(),
  user_api_key_cache_ttl: seconds.default(60),
  max_request_size_mb: positive.default(20),
  litellm_key_header_name: text.optional(),
  /** The model of every call of its kind, whatever the client names. */
  completion_model: text.optional(),
  embedding_model: text.optional(),
  image_generation_model: text.optional(),
  moderation_model: text.optional(),
  use_x_forwarded_for: flag.default(false),
  must_log: flag.default(false),
  /** An entry of `model_list` that cannot be used stops the start. */
  strict_models: flag.default(false),
  /** Settings of LiteLLM that protect something, that are in the file, and that nobody misses here. */
  ignored_controls: texts.default([]),
  enforce_redaction: flag.default(false),
  lenient_callbacks: flag.default(false),
  allow_client_side_credentials: flag.default(true),
  private_destination_hosts: texts.default([]),
  env_references: z
    .preprocess(toList, z.array(envPattern))
    .default(["LANGFUSE_*", "LANGSMITH_*", "DD_*", "GCS_*", "GOOGLE_*", "OTEL_*", "GENERIC_LOGGER_*"]),
  service_account_dirs: texts.default([]),
  /** Where service accounts that teams paste may ask for tokens, beside Google's own address. */
  google_token_uris: texts.default([]),
  delivery: section(deliveryShape),
  /** How destinations that fail are told of: webhook, slack, email. */
  alerting: texts.default([]),
  alerting_args: section(alertingArgsShape),
  /** Who gets every alert by e-mail, beside the administrators of the team that it is about. */
  alert_emails: texts.default([]),
};

export const loggingShape = {
  /** Whether an answer's last byte waits until its record is committed. */
  commit: z.enum(["before_answer", "after_answer"]).default("before_answer"),
};

export const retentionShape = {
  /** Until what age of its call content is kept after it was delivered, for destinations that come later. */
  content_hours: amount.default(0),
  deliveries_days: amount.default(7),
  dead_letters_days: amount.default(14),
};

export const configShape = {
  model_list: z.array(section({ ...modelShape, source })).default([]),
  litellm_settings: section(litellmSettingsShape),
  general_settings: section(generalSettingsShape),
  router_settings: section(routerSettingsShape),
  /** By the callback's name. */
  callback_settings: z.preprocess(withoutNulls, z.record(z.string(), section(callbackSettingsShape))),
  logging: section(loggingShape),
  retention: section(retentionShape),
};

/** The configuration with its defaults applied. A key without a value counts as absent. */
export const Config = section({
  ...configShape,
  /** The entries of `model_list` that do not fit. */
  unusable_models: z.array(z.object({ model_name: z.string(), reason: z.string(), place: z.string() })).default([]),
});
export type Config = z.output<typeof Config>;

/** One entry of `model_list`. */
export type ModelConfig = Config["model_list"][number];

function section<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.preprocess(withoutNulls, z.looseObject(shape));
}

function withoutNulls(value: unknown): unknown {
  if (value === undefined || value === null) return {};
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== undefined && inner !== null));
}

/** Environment variables are text, LiteLLM's parser reads yes and on as true, and some people write 1 and 0. */
function toBoolean(value: unknown): unknown {
  if (value === 0 || value === 1) return value === 1;
  if (typeof value !== "string") return value;
  const word = value.trim().toLowerCase();
  if (["true", "yes", "on", "1"].includes(word)) return true;
  return ["false", "no", "off", "0"].includes(word) ? false : value;
}

function toNumber(value: unknown): unknown {
  if (typeof value !== "string" || value.trim() === "") return value;
  const parsed = Number(value);
  return Number.isFinite(parsed) ? parsed : value;
}

/** An environment variable holds a list as text with commas. */
function toList(value: unknown): unknown {
  if (typeof value !== "string") return value;
  return value
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
}

function number(tooSmall: string) {
  return z.preprocess(toNumber, z.number().min(0, tooSmall));
}
