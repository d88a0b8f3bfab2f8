import { expect, test } from "vitest";
import { findGroup } from "#gateway/choose-deployment.ts";
import { makeModelTable, modelsState, type Deployment } from "#gateway/models.ts";
import { strangerCaller } from "#keys/caller.ts";
import { configState, parseConfig } from "#lib/config.ts";
import type { JsonObject } from "#logging/record.ts";

configState.set(parseConfig("{}", "config.yaml", {}).config);

function tableOf(params: JsonObject, env: Record<string, string> = {}) {
  const text = JSON.stringify({ model_list: [{ model_name: "m", litellm_params: params }] });
  return makeModelTable(parseConfig(text, "config.yaml", env).config, env);
}

/** Host and key of the only entry, or why it cannot be called. */
function reach(params: JsonObject, env: Record<string, string> = {}): string {
  const table = tableOf(params, env);
  const [deployment] = table.get("m") ?? [];
  return deployment ? shown(deployment) : `unusable: ${table.unusable[0]?.reason ?? ""}`;
}

function shown({ apiBase, apiKey, provider }: Deployment): string {
  return `${provider} ${URL.parse(apiBase ?? "")?.host ?? "nowhere"} ${apiKey ?? "no key"}`;
}

const vendors = {
  openai: {
    host: "api.openai.com",
    variable: "OPENAI_API_KEY",
    names: ["gpt-4o", "o3-mini", "text-embedding-3-small"],
  },
  anthropic: { host: "api.anthropic.com", variable: "ANTHROPIC_API_KEY", names: ["claude-2.1", "claude-sonnet-4-5"] },
  gemini: { host: "generativelanguage.googleapis.com", variable: "GEMINI_API_KEY", names: ["gemini-2.5-flash"] },
  mistral: { host: "api.mistral.ai", variable: "MISTRAL_API_KEY", names: [] },
  groq: { host: "api.groq.com", variable: "GROQ_API_KEY", names: [] },
  deepseek: { host: "api.deepseek.com", variable: "DEEPSEEK_API_KEY", names: [] },
  xai: { host: "api.x.ai", variable: "XAI_API_KEY", names: [] },
  openrouter: { host: "openrouter.ai", variable: "OPENROUTER_API_KEY", names: [] },
  together_ai: { host: "api.together.xyz", variable: "TOGETHERAI_API_KEY", names: [] },
  perplexity: { host: "api.perplexity.ai", variable: "PERPLEXITYAI_API_KEY", names: [] },
  cerebras: { host: "api.cerebras.ai", variable: "CEREBRAS_API_KEY", names: [] },
  deepinfra: { host: "api.deepinfra.com", variable: "DEEPINFRA_API_KEY", names: [] },
  fireworks_ai: { host: "api.fireworks.ai", variable: "FIREWORKS_API_KEY", names: [] },
} as const;

/** Every vendor's key is in the environment. */
const allKeys = Object.fromEntries(
  Object.entries(vendors).map(([vendor, { variable }]) => [variable, `key-of-${vendor}`]),
);

test.each(Object.entries(vendors))(
  "no other key reaches the host of %s, whatever the form",
  (vendor, { host, names }) => {
    const own = `${vendor} ${host} key-of-${vendor}`;
    expect(reach({ model: `${vendor}/some-model` }, allKeys)).toBe(own);
    expect(reach({ model: `${vendor}/*` }, allKeys)).toBe(own);
    expect(reach({ model: "some-model", custom_llm_provider: vendor }, allKeys)).toBe(own);
    for (const name of names) expect(reach({ model: name }, allKeys), name).toBe(own);
    expect(reach({ model: `${vendor}/some-model`, api_key: "own" }, allKeys)).toBe(`${vendor} ${host} own`);
    // At another address there is no key but the entry's own.
    const elsewhere = { model: `${vendor}/some-model`, api_base: "http://gpu.internal/v1" };
    expect(reach(elsewhere, allKeys)).toBe(`${vendor} gpu.internal no key`);
    expect(reach({ ...elsewhere, api_key: "own" }, allKeys)).toBe(`${vendor} gpu.internal own`);
    expect(reach({ model: "some-model", api_base: `https://${host}/v1` }, allKeys)).toBe(own);
    for (const [other, { variable }] of Object.entries(vendors)) {
      if (other === vendor) continue;
      const foreign = { model: `${vendor}/some-model`, api_key: `os.environ/${variable}` };
      expect(reach(foreign, allKeys), other).toContain(`would send a key of ${other} to the host of ${vendor}`);
      const atHost = { model: "openai/some-model", api_key: `os.environ/${variable}`, api_base: `https://${host}/v1` };
      expect(reach(atHost, allKeys), other).toContain("would send a key");
      for (const api_base of [`http://${host}/v1`, `https://${host}./v1`]) {
        expect(reach({ ...atHost, api_base }, allKeys), api_base).toContain("would send a key");
      }
    }
  },
);

test.each([
  "command-r-plus",
  "jamba-1.5-large",
  "luminous-base",
  "llama-3-70b",
  "mistral-large-latest",
  "grok-4",
  "gpt-oss-120b",
])("%s reaches nobody without a vendor or an address", (model) => {
  expect(reach({ model, api_key: "k" }, allKeys)).toMatch(/^unusable: .*Fix:/);
  expect(reach({ model: `cohere/${model}`, api_key: "k" }, allKeys)).toMatch(/^unusable: .*"cohere"/);
});

test("a name that decides nothing is OpenAI's wire at its own address, and a vendor's host decides before the name", () => {
  expect(reach({ model: "my-llama", api_base: "http://gpu.internal/v1" }, allKeys)).toBe("openai gpu.internal no key");
  const mixed = { model: "meta-llama/Llama-3-70b", api_base: "https://api.together.xyz/v1" };
  expect(reach(mixed, allKeys)).toBe("together_ai api.together.xyz key-of-together_ai");
  expect(reach({ model: "claude-3", api_base: "http://gpu.internal" }, allKeys)).toBe("anthropic gpu.internal no key");
});

test.each([
  ["another vendor's name behind the prefix", { model: "openai/claude-2.1", api_key: "k" }],
  [
    "another vendor's prefix behind the provider",
    { model: "anthropic/some", custom_llm_provider: "openai", api_key: "k" },
  ],
  ["another vendor's key by its form", { model: "gpt-4o", api_key: "sk-ant-api03-x" }],
  ["another vendor's key in the vendor's variable", { model: "openai/gpt-4o", api_key: "gsk_x" }],
  ["an unknown prefix", { model: "foo/bar", api_key: "k" }],
  ["an unknown prefix at an address", { model: "foo/bar", api_key: "k", api_base: "http://gpu.internal/v1" }],
  ["azure without an address", { model: "azure/gpt-4o", api_key: "k" }],
  ["an address that is not set", { model: "openai/x", api_key: "k", api_base: "os.environ/NOT_SET" }],
  ["an address that is empty", { model: "openai/x", api_key: "k", api_base: "" }],
  ["an address without a scheme", { model: "openai/x", api_key: "k", api_base: "gpu.internal:8000/v1" }],
  ["an address with a password", { model: "openai/x", api_key: "k", api_base: "https://user:canary@gpu.internal/v1" }],
  ["two addresses", { model: "openai/x", api_key: "k", api_base: "http://a.internal", base_url: "http://b.internal" }],
  ["a misspelt address", { model: "openai/x", api_key: "k", apiBase: "http://gpu.internal/v1" }],
  ["another name for an address", { model: "openai/x", api_key: "k", endpoint: "http://gpu.internal/v1" }],
  ["one key for every name", { model: "*", api_key: "k" }],
  [
    "this machine's Google token elsewhere",
    { model: "vertex_ai/gemini-2.5-pro", vertex_project: "p", vertex_location: "l", api_base: "http://gpu.internal" },
  ],
])("%s is unusable", (_name, params) => {
  const said = reach(params, {});
  expect(said).toMatch(/^unusable: .*Fix: /);
  expect(said).not.toContain("canary");
});

test("base_url is an address, and so is a vendor's own variable, with the key that belongs to it", () => {
  expect(reach({ model: "openai/x", api_key: "own", base_url: "http://gpu.internal/v1" })).toBe(
    "openai gpu.internal own",
  );
  const env = { OPENAI_API_KEY: "key-of-openai", OPENAI_BASE_URL: "http://proxy.internal/v1", ANTHROPIC_API_KEY: "a" };
  expect(reach({ model: "gpt-4o" }, env)).toBe("openai proxy.internal key-of-openai");
  expect(reach({ model: "claude-2.1" }, env)).toBe("anthropic api.anthropic.com a");
  expect(reach({ model: "my-model" }, env)).toMatch(/^unusable/);
  const azure = { AZURE_API_KEY: "key-of-azure", AZURE_API_BASE: "https://us.openai.azure.com" };
  expect(reach({ model: "azure/d" }, azure)).toBe("azure us.openai.azure.com key-of-azure");
  expect(reach({ model: "azure/d", api_base: "https://eu.openai.azure.com" }, azure)).toContain("key-of-azure");
  expect(reach({ model: "azure/d", api_base: "https://evil.example" }, azure)).toBe("azure evil.example no key");
});

test("keys of Amazon's account come whole from one place, and from the environment only for Amazon's hosts", () => {
  const env = { AWS_ACCESS_KEY_ID: "AKIAENV", AWS_SECRET_ACCESS_KEY: "secret-env", AWS_REGION: "eu-west-1" };
  const params = (given: JsonObject) => tableOf({ model: "bedrock/amazon.nova-lite-v1:0", ...given }, env);
  expect(params({}).get("m")).toMatchObject([
    { apiBase: "https://bedrock-runtime.eu-west-1.amazonaws.com", vendorParams: { aws_access_key_id: "AKIAENV" } },
  ]);
  const own = params({ aws_access_key_id: "AKIAOWN", aws_secret_access_key: "own" }).get("m");
  expect(own).toMatchObject([{ vendorParams: { aws_access_key_id: "AKIAOWN", aws_secret_access_key: "own" } }]);
  expect(params({ aws_access_key_id: "AKIAOWN" }).unusable).toHaveLength(1);
  expect(params({ api_base: "https://evil.example" }).unusable).toHaveLength(1);
  expect(params({ aws_bedrock_runtime_endpoint: "https://evil.example" }).unusable).toHaveLength(1);
});

test("with model * each name that a client asks for finds its own vendor and key", () => {
  const text = JSON.stringify({ model_list: [{ model_name: "*", litellm_params: { model: "*" } }] });
  modelsState.set(makeModelTable(parseConfig(text, "config.yaml", {}).config, allKeys));
  const asked = (name: string): string => findGroup(strangerCaller, name).map(shown).join();
  expect(asked("gpt-4o")).toBe("openai api.openai.com key-of-openai");
  expect(asked("anthropic/claude-2.1")).toBe("anthropic api.anthropic.com key-of-anthropic");
  expect(asked("groq/llama-3-70b")).toBe("groq api.groq.com key-of-groq");
  for (const name of ["command-r-plus", "llama-3-70b", "foo/bar", "openai/claude-2.1", "*"]) {
    expect(() => asked(name), name).toThrow(/cannot be called|Invalid model name/);
  }
});

test("a name whose own entry cannot be called is not answered by a wildcard's vendor", () => {
  const model_list = [
    { model_name: "command-r-plus", litellm_params: { model: "command-r-plus", api_key: "key-of-cohere" } },
    { model_name: "*", litellm_params: { model: "openai/*", api_key: "key-of-openai" } },
  ];
  modelsState.set(makeModelTable(parseConfig(JSON.stringify({ model_list }), "config.yaml", {}).config));
  expect(() => findGroup(strangerCaller, "command-r-plus")).toThrow(/cannot be called/);
  expect(findGroup(strangerCaller, "gpt-4o").map(shown)).toEqual(["openai api.openai.com key-of-openai"]);
});
