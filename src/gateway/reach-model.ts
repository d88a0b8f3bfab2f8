import type { ModelConfig } from "#lib/config.ts";
import {
  hasModelsLike,
  readVendorEnv,
  vendorOfHost,
  vendorOfKey,
  vendorOfName,
  vendorOfVariable,
  type VendorEnv,
} from "#gateway/model-vendors.ts";
import { findProvider, providerNames } from "#gateway/providers/index.ts";
import type { Provider } from "#gateway/providers/provider.ts";
import { fillVendorParams, readVendorParams } from "#gateway/vendor-params.ts";

/** Who answers a model, where, and with which key. */
export type Reached = {
  provider: Provider;
  /** The name sent upstream. */
  upstreamModel: string;
  apiBase: string | null;
  apiKey: string | null;
  apiVersion: string | null;
  vendorParams: Readonly<Record<string, string>>;
};

/** Why a model cannot be called, as a sentence with its fix. */
export type Unreachable = { problem: string };

type Params = ModelConfig["litellm_params"];
type Named = { vendor: string; upstreamModel: string };

/**
 * Finds out who answers an entry of `model_list`, so that no key reaches another vendor's host. The prefix names the
 * vendor, else the host of `api_base`, else the model's name by LiteLLM's rules. A key of the environment goes to its
 * vendor's own host or to the address of the vendor's own variable, and nowhere else.
 */
export function reachModel({ litellm_params: params, source }: ModelConfig, env: VendorEnv): Reached | Unreachable {
  const given = params.api_base ?? params.base_url ?? null;
  const fault = given === null ? null : findUrlFault(given);
  if (fault !== null) return { problem: `has an api_base that ${fault}` };
  const named = nameVendor(params, given, env);
  if ("problem" in named) return named;
  const { vendor, upstreamModel } = named;
  const isMock = params.mock_response !== undefined;
  const provider = isMock ? findProvider("mock") : findProvider(vendor, upstreamModel);
  if (provider === null) return { problem: unknownVendor(named) };
  const own = readVendorEnv(provider.name, env);
  const isOwnHost = given === null || vendorOfHost(given) === provider.name;
  const apiKey = params.api_key ?? (isOwnHost ? own.apiKey : null);
  const vendorParams = fillVendorParams(readVendorParams(params), { vendor: provider.name, given, apiKey, env });
  const located = provider.locate?.({ apiKey, vendorParams, model: upstreamModel }) ?? { apiBase: provider.apiBase };
  if ("problem" in located) return located;
  const apiBase = (given ?? own.apiBase ?? located.apiBase)?.replace(/\/+$/, "") ?? null;
  const apiVersion = params.api_version ?? (provider.name === "azure" ? (env["AZURE_API_VERSION"] ?? null) : null);
  const reached = { provider, upstreamModel, apiBase, apiKey, apiVersion, vendorParams };
  return isMock ? reached : checkReached(reached, { given, variable: source?.key_variable });
}

function checkReached(
  reached: Reached,
  { given, variable }: { given: string | null; variable: string | undefined },
): Reached | Unreachable {
  const { provider, upstreamModel, apiBase, apiKey, vendorParams } = reached;
  if (apiBase === null) return { problem: "has no address. Fix: add api_base: with the URL of its server." };
  const fault = findUrlFault(apiBase);
  if (fault !== null) return { problem: `gets an address from the environment that ${fault}` };
  const host = vendorOfHost(apiBase, { orHttp: true });
  // The token of this machine is Google's, too.
  if (
    provider.name === "vertex_ai" &&
    given !== null &&
    vendorOfHost(given) !== "vertex_ai" &&
    !vendorParams.vertex_credentials
  ) {
    return { problem: "has an api_base that is not Google's. Fix: add vertex_credentials: for that server." };
  }
  if (host === null) return reached;
  if (!hasModelsLike(host, upstreamModel)) {
    return { problem: `is no model of ${host}, to whose host its key would go. Fix: name its vendor before a slash.` };
  }
  const owner = apiKey === null ? null : (vendorOfKey(apiKey) ?? (variable ? vendorOfVariable(variable) : null));
  if (owner === null || owner === host || isGoogle(owner, host)) return reached;
  return { problem: `would send a key of ${owner} to the host of ${host}. Fix: give the key of ${host}.` };
}

function isGoogle(...vendors: readonly string[]): boolean {
  return vendors.every((vendor) => vendor === "gemini" || vendor === "vertex_ai");
}

/** Which vendor answers the entry, by everything that says so. */
function nameVendor(params: Params, given: string | null, env: VendorEnv): Named | Unreachable {
  const { model } = params;
  const named = typeof params.custom_llm_provider === "string" ? params.custom_llm_provider.trim() : "";
  // With `custom_llm_provider`, a slash belongs to the model's name (meta-llama/…) unless it repeats the provider.
  if (named !== "") return { vendor: named, upstreamModel: withoutPrefix(model, named) };
  const host = given === null ? null : vendorOfHost(given);
  const slash = model.indexOf("/");
  if (slash !== -1) {
    const prefix = model.slice(0, slash);
    const isModels = findProvider(prefix) === null && host !== null;
    return isModels
      ? { vendor: host, upstreamModel: model }
      : { vendor: prefix, upstreamModel: model.slice(slash + 1) };
  }
  const vendor = host ?? vendorOfName(model) ?? (given === null ? null : "openai");
  if (vendor !== null) {
    return { vendor: vendor === "google" ? googleVendor(params, env) : vendor, upstreamModel: model };
  }
  if (params.mock_response !== undefined) return { vendor: "mock", upstreamModel: model };
  const fix = "name the vendor before a slash, for example openai/, or add api_base:";
  return { problem: `has no vendor, and its name does not tell which it is. Fix: ${fix}.` };
}

/** Google has two doors: one for keys, one for projects. */
function googleVendor(params: Params, env: VendorEnv): string {
  if (Object.keys(params).some((name) => name.startsWith("vertex_"))) return "vertex_ai";
  const hasKey = params.api_key !== undefined || readVendorEnv("gemini", env).apiKey !== null;
  return !hasKey && env["VERTEXAI_PROJECT"] ? "vertex_ai" : "gemini";
}

function withoutPrefix(model: string, prefix: string): string {
  return model.startsWith(`${prefix}/`) ? model.slice(prefix.length + 1) : model;
}

function unknownVendor({ vendor, upstreamModel }: Named): string {
  const fix = `use one of ${providerNames.join(", ")}, for example openai/${upstreamModel} with an api_base`;
  return `is of the provider "${vendor}", which is not known. Fix: ${fix}.`;
}

/** What is wrong with an address, without repeating it: it may hold a secret. */
function findUrlFault(text: string): string | null {
  const parsed = URL.parse(text);
  if (parsed === null || !/^https?:$/.test(parsed.protocol)) {
    return "is no URL. Fix: begin it with https:// or http://.";
  }
  if (parsed.username === "" && parsed.password === "") return null;
  return "holds a user name or password, which is not sent. Fix: use api_key.";
}
