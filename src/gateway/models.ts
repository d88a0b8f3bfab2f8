import { z } from "zod";
import type { Config } from "#lib/config.ts";
import { AppError } from "#lib/errors.ts";
import { sha256Hex } from "#lib/id.ts";
import { stateCell } from "#lib/state.ts";
import type { JsonObject } from "#logging/record.ts";
import { isGatewayField } from "#gateway/upstream-body.ts";
import { readPrices, type Prices } from "#gateway/prices.ts";
import { findProvider, providerNames } from "#gateway/providers/index.ts";

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
  /** Parameters that every request to this deployment gets unless the client sets them. */
  defaults: Readonly<JsonObject>;
};

/** The model list by public name. */
export type ModelTable = ReadonlyMap<string, readonly Deployment[]>;

export const modelsState = stateCell<ModelTable>("models");

const JsonFields = z.record(z.string(), z.json());

const timeoutMsDefault = 600_000;

/** What in `litellm_params` is for us and never sent upstream. */
const ownParams = new Set([
  "model",
  "api_base",
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

const AnyText = z.string().min(1).optional().catch(undefined);

/**
 * Makes the table of `model_list`. Throws with every entry that cannot work: an unknown provider, or no address to
 * reach. `locate` tells where an entry stands in the file.
 */
export function makeModelTable(config: Config, locate: (path: (string | number)[]) => string): ModelTable {
  const problems: string[] = [];
  const table = new Map<string, Deployment[]>();
  for (const [index, entry] of config.model_list.entries()) {
    const deployment = toDeployment(entry, config);
    if (typeof deployment === "string") {
      problems.push(
        `${locate(["model_list", index, "litellm_params", "model"])}: model_list[${String(index)}]: ${deployment}`,
      );
      continue;
    }
    const known = table.get(entry.model_name);
    if (known) known.push(deployment);
    else table.set(entry.model_name, [deployment]);
  }
  if (problems.length > 0) throw new AppError("bad_request", problems.join("\n"));
  return table;
}

function toDeployment(entry: Config["model_list"][number], config: Config): Deployment | string {
  const params = entry.litellm_params;
  const named = AnyText.parse(params.custom_llm_provider);
  // With `custom_llm_provider`, a slash belongs to the model's name (meta-llama/…) unless it repeats the provider.
  const slash = named === undefined || params.model.startsWith(`${named}/`) ? params.model.indexOf("/") : -1;
  const prefix = named ?? (slash === -1 ? "openai" : params.model.slice(0, slash));
  const mockResponse = params.mock_response ?? null;
  const vendorParams = readVendorParams(params);
  const upstreamModel = slash === -1 ? params.model : params.model.slice(slash + 1);
  const provider = mockResponse === null ? findProvider(prefix, upstreamModel) : findProvider("mock");
  if (!provider) {
    return `the provider "${prefix}" of model "${params.model}" is not known. Fix: use one of ${providerNames.join(", ")}, for example openai/${params.model.slice(slash + 1)} with an api_base.`;
  }
  const account = { apiKey: params.api_key ?? null, vendorParams, model: upstreamModel };
  const located = provider.locate?.(account) ?? { apiBase: provider.apiBase };
  if ("problem" in located) return `model "${params.model}" ${located.problem}`;
  if (provider.name !== "mock" && params.api_base === undefined && located.apiBase === null) {
    return `model "${params.model}" has no address. Fix: add api_base: with the URL of its server.`;
  }
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
    apiBase: (params.api_base ?? located.apiBase)?.replace(/\/+$/, "") ?? null,
    apiKey: params.api_key ?? null,
    apiVersion: params.api_version ?? null,
    vendorParams,
    mockResponse,
    timeoutMs: timeout === undefined ? timeoutMsDefault : timeout * 1000,
    streamTimeoutMs: (params.stream_timeout ?? router.stream_timeout ?? timeout ?? timeoutMsDefault / 1000) * 1000,
    wholeStreamTimeoutMs: timeout === undefined ? undefined : timeout * 1000,
    weight: params.weight ?? null,
    rpm: params.rpm ?? null,
    tpm: params.tpm ?? null,
    dropsParams: params.drop_params ?? config.litellm_settings.drop_params,
    prices: readPrices(entry),
    priceModel: info.base_model ?? upstreamModel,
    defaults: JsonFields.parse(given),
  };
}

/** A service account may be written as a mapping instead of as a JSON text. */
function readVendorParams(params: Readonly<Record<string, unknown>>): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [name, value] of Object.entries(params)) {
    if (!/^(aws|vertex)_/.test(name) || value === null || value === undefined) continue;
    found[name] = typeof value === "string" ? value : JSON.stringify(value);
  }
  return found;
}
