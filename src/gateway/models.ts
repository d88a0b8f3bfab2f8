import { z } from "zod";
import type { Config, ModelConfig } from "#lib/config.ts";
import { AppError } from "#lib/errors.ts";
import { sha256Hex } from "#lib/id.ts";
import { stateCell } from "#lib/state.ts";
import type { JsonObject } from "#logging/record.ts";
import { isGatewayField } from "#gateway/upstream-body.ts";
import { readPrices, type Prices } from "#gateway/prices.ts";
import type { VendorEnv } from "#gateway/model-vendors.ts";
import { reachModel, type Unreachable } from "#gateway/reach-model.ts";

/** One way to answer a model name: a provider, the model's name there, and how to reach it. */
export type Deployment = {
  /** `model_info.id`, else a hash of the entry: the `x-litellm-model-id` of an answer. */
  id: string;
  /** The public name. */
  modelName: string;
  provider: string;
  /** The name sent upstream. */
  upstreamModel: string;
  apiBase: string | null;
  apiKey: string | null;
  apiVersion: string | null;
  /** `aws_…` and `vertex_…` of `litellm_params`: how the clouds are reached. */
  vendorParams: Readonly<Record<string, string>>;
  /** The answer of `litellm_params.mock_response`: no upstream is called. */
  mockResponse: string | null;
  timeoutMs: number;
  streamTimeoutMs: number;
  /** How long a whole stream may take; undefined: nobody said. */
  wholeStreamTimeoutMs: number | undefined;
  /** How often it is chosen among others, and what it takes in a minute; null: nobody said. */
  weight: number | null;
  rpm: number | null;
  tpm: number | null;
  /** `drop_params`: what cannot be translated for the vendor is left out instead of refused. */
  dropsParams: boolean;
  /** Null: config.yaml says nothing of what its calls cost. */
  prices: Prices | null;
  /** The name under which a price list has the model: `model_info.base_model`, else the upstream's name. */
  priceModel: string;
  /** How many tokens an answer has at most, by `model_info`; null: nobody said. */
  outputTokensMax?: number | null;
  /** Parameters that every request to this deployment gets unless the client sets them. */
  defaults: Readonly<JsonObject>;
  /** For `model: "*"`: the deployment of the name that a client asks for, or why there is none. */
  ofName?(name: string): Deployment | Unreachable;
};

/** The model list by public name. */
export type ModelTable = ReadonlyMap<string, readonly Deployment[]> & {
  /** The entries that cannot be called. A name stays unusable if an entry with exactly this name is usable nowhere. */
  unusable: readonly UnusableModel[];
};

/** Why calls of a model are refused, and where its entry stands in the file. */
export type UnusableModel = { modelName: string; reason: string; place: string };

export const modelsState = stateCell<ModelTable>("models");

const JsonFields = z.record(z.string(), z.json());

const timeoutMsDefault = 600_000;

/** What in `litellm_params` is for us and never sent upstream. */
const ownParams = new Set([
  "model",
  "api_base",
  "base_url",
  "api_key",
  "api_version",
  "timeout",
  "stream_timeout",
  "mock_response",
  "rpm",
  "tpm",
  "weight",
  "custom_llm_provider",
  "max_retries",
  "num_retries",
  "organization",
  "use_in_pass_through",
]);

/**
 * Makes the table of `model_list`. `env` has the vendors' variables. An entry that cannot work is in `unusable`, with
 * the reason; with `general_settings.strict_models` all such entries are thrown instead.
 */
export function makeModelTable(config: Config, env: VendorEnv = {}): ModelTable {
  const table = new Map<string, Deployment[]>();
  const unusable = config.unusable_models.map(({ model_name: modelName, ...others }) => ({ modelName, ...others }));
  for (const entry of config.model_list) {
    const deployment = toDeployment(entry, config, env);
    if ("problem" in deployment) {
      const reason = `model "${entry.litellm_params.model}" ${deployment.problem}`;
      unusable.push({ modelName: entry.model_name, reason, place: entry.source?.place ?? "config.yaml" });
      continue;
    }
    const known = table.get(entry.model_name);
    if (known) known.push(deployment);
    else table.set(entry.model_name, [deployment]);
  }
  if (config.general_settings.strict_models && unusable.length > 0) {
    throw new AppError("bad_request", unusable.map(describeUnusable).join("\n"));
  }
  return Object.assign(table, { unusable });
}

/** One line for people: where, which, why. */
export function describeUnusable({ modelName, reason, place }: UnusableModel): string {
  return `${place}: model_list: "${modelName}" cannot be called: ${reason}`;
}

function toDeployment(entry: ModelConfig, config: Config, env: VendorEnv): Deployment | Unreachable {
  const params = entry.litellm_params;
  if (isAnyModel(entry)) return toTemplate(entry, config, env);
  const reached = reachModel(entry, env);
  if ("problem" in reached) return reached;
  const { provider, upstreamModel, apiBase, apiKey, apiVersion, vendorParams } = reached;
  const router = config.router_settings;
  const info = entry.model_info;
  const timeout = params.timeout ?? router.timeout ?? config.litellm_settings.request_timeout;
  const given = Object.fromEntries(
    Object.entries(params).filter(([name]) => !ownParams.has(name) && !isGatewayField(name)),
  );
  return {
    id: info.id ?? sha256Hex(JSON.stringify([entry.model_name, params.model, params.api_base ?? null])),
    modelName: entry.model_name,
    provider: provider.name,
    upstreamModel,
    apiBase,
    apiKey,
    apiVersion,
    vendorParams,
    mockResponse: params.mock_response ?? null,
    timeoutMs: timeout === undefined ? timeoutMsDefault : timeout * 1000,
    streamTimeoutMs: (params.stream_timeout ?? router.stream_timeout ?? timeout ?? timeoutMsDefault / 1000) * 1000,
    wholeStreamTimeoutMs: timeout === undefined ? undefined : timeout * 1000,
    weight: params.weight ?? null,
    rpm: params.rpm ?? null,
    tpm: params.tpm ?? null,
    dropsParams: params.drop_params ?? config.litellm_settings.drop_params,
    prices: readPrices(entry),
    priceModel: info.base_model ?? upstreamModel,
    outputTokensMax: info.max_output_tokens ?? info.max_tokens ?? null,
    defaults: JsonFields.parse(given),
  };
}

/** `model: "*"` without anything that names a vendor: the name that a client asks for does. */
function isAnyModel({ litellm_params: params }: ModelConfig): boolean {
  const { model, api_base: base, base_url: url, custom_llm_provider: vendor, mock_response: mock } = params;
  return model === "*" && [base, url, vendor, mock].every((value) => value === undefined);
}

/** Each name finds its own vendor, with that vendor's key of the environment: one key for all would reach them all. */
function toTemplate(entry: ModelConfig, config: Config, env: VendorEnv): Deployment | Unreachable {
  if (entry.litellm_params.api_key !== undefined) {
    return { problem: "has a key that would go to whatever vendor a client names. Fix: write openai/* or the like." };
  }
  const ofName = (name: string): Deployment | Unreachable => {
    if (name === "*") return { problem: "is no name." };
    return toDeployment({ ...entry, litellm_params: { ...entry.litellm_params, model: name } }, config, env);
  };
  const any = toDeployment({ ...entry, litellm_params: { ...entry.litellm_params, model: "openai/*" } }, config, env);
  return "problem" in any ? any : { ...any, ofName };
}
