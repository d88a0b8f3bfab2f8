/**
 * Which vendor a model's name, a host, a key or an environment variable belongs to: facts about the vendors, so that no
 * key of one goes to another. Vendors are called by the prefix of `litellm_params.model`.
 */

/** The vendors that own a form of names, as LiteLLM tells them apart. Open models, which many vendors serve, are in none. */
const nameRules: readonly (readonly [RegExp, string])[] = [
  [/^(chatgpt-|codex-|computer-use-|gpt-(\d|image|audio|realtime)|o[1-9](-|$))/i, "openai"],
  [/^(text-embedding-(3-|ada-)|(text|omni)-moderation-|dall-e-|sora-|whisper-1$|tts-1)/i, "openai"],
  [/^(text-(davinci|curie|babbage|ada)-|(davinci|babbage)-002$|ft:(gpt|o\d|davinci|babbage))/i, "openai"],
  [/^claude/i, "anthropic"],
  [/^(gemini|imagen|veo-|medlm|text-embedding-00\d|text-multilingual-embedding|textembedding-gecko)/i, "google"],
  [/^(text|chat|code|codechat)-(bison|unicorn)/i, "google"],
  [/^(command|c4ai-aya|embed-(english|multilingual|v\d)|rerank-)/i, "cohere"],
  [/^(jamba|j2-)/i, "ai21"],
  [/^luminous-/i, "aleph_alpha"],
  [
    /^((us|us-gov|eu|apac|jp|au|ca|sa|global)\.)?(ai21|amazon|anthropic|cohere|deepseek|luma|meta|mistral|openai|qwen|stability|twelvelabs|writer)\.[\w-]/i,
    "bedrock",
  ],
];

/** The vendor whose models have names like this one; null if the name decides nothing. */
export function vendorOfName(model: string): string | null {
  return nameRules.find(([pattern]) => pattern.test(model))?.[1] ?? null;
}

/** The vendor's environment variables, as LiteLLM reads them: for its key, and for the address that the key is for. */
type VendorVariables = { keys: readonly string[]; bases: readonly string[] };

const variables: Readonly<Record<string, VendorVariables>> = {
  openai: named("OPENAI", { bases: ["OPENAI_BASE_URL", "OPENAI_API_BASE"] }),
  azure: named("AZURE", { keys: ["AZURE_API_KEY", "AZURE_OPENAI_API_KEY"] }),
  anthropic: named("ANTHROPIC", { bases: ["ANTHROPIC_API_BASE", "ANTHROPIC_BASE_URL"] }),
  bedrock: { keys: ["AWS_BEARER_TOKEN_BEDROCK"], bases: [] },
  cerebras: named("CEREBRAS"),
  cohere: named("COHERE", { keys: ["COHERE_API_KEY", "CO_API_KEY"] }),
  deepinfra: named("DEEPINFRA"),
  deepseek: named("DEEPSEEK"),
  fireworks_ai: named("FIREWORKS", {
    keys: ["FIREWORKS_API_KEY", "FIREWORKS_AI_API_KEY", "FIREWORKSAI_API_KEY", "FIREWORKS_AI_TOKEN"],
  }),
  gemini: { keys: ["GOOGLE_API_KEY", "GEMINI_API_KEY"], bases: [] },
  groq: named("GROQ"),
  hosted_vllm: named("HOSTED_VLLM"),
  lm_studio: named("LM_STUDIO"),
  mistral: named("MISTRAL", { bases: ["MISTRAL_API_BASE"] }),
  openai_like: named("OPENAI_LIKE"),
  openrouter: named("OPENROUTER", { keys: ["OPENROUTER_API_KEY", "OR_API_KEY"] }),
  perplexity: named("PERPLEXITY", { keys: ["PERPLEXITYAI_API_KEY", "PERPLEXITY_API_KEY"] }),
  together_ai: named("TOGETHER_AI", {
    keys: ["TOGETHER_API_KEY", "TOGETHER_AI_API_KEY", "TOGETHERAI_API_KEY", "TOGETHER_AI_TOKEN"],
  }),
  xai: named("XAI"),
};

function named(name: string, others: Partial<VendorVariables> = {}): VendorVariables {
  return { keys: [`${name}_API_KEY`], bases: [`${name}_API_BASE`], ...others };
}

/** The environment that vendors' variables are read from. */
export type VendorEnv = Readonly<Record<string, string | undefined>>;

/** The key and the address that the environment has for a vendor; null if it has none. */
export function readVendorEnv(vendor: string, env: VendorEnv): { apiKey: string | null; apiBase: string | null } {
  const { keys, bases } = variables[vendor] ?? { keys: [], bases: [] };
  const first = (names: readonly string[]): string | null =>
    names.map((name) => env[name]?.trim() ?? "").find((value) => value !== "") ?? null;
  return { apiKey: first(keys), apiBase: first(bases) };
}

/** The vendor that an environment variable has the key of; null for any other variable. */
export function vendorOfVariable(name: string): string | null {
  return Object.keys(variables).find((vendor) => variables[vendor]?.keys.includes(name)) ?? null;
}

/** Beginnings that only one vendor's keys have. */
const keyForms: readonly (readonly [string, string])[] = [
  ["sk-ant-", "anthropic"],
  ["sk-or-v", "openrouter"],
  ["sk-proj-", "openai"],
  ["sk-svcacct-", "openai"],
  ["gsk_", "groq"],
  ["AIza", "gemini"],
  ["xai-", "xai"],
  ["pplx-", "perplexity"],
  ["csk-", "cerebras"],
  ["fw_", "fireworks_ai"],
];

/** The vendor whose keys look like this one; null if the form decides nothing. */
export function vendorOfKey(key: string): string | null {
  return keyForms.find(([start]) => key.startsWith(start))?.[1] ?? null;
}

/** Hosts of vendors, and the ends of hosts that have a part of the account's own. */
const hosts: readonly (readonly [RegExp, string])[] = [
  [/^([a-z]+\.)?api\.openai\.com$/, "openai"],
  [/\.(openai|cognitiveservices|services\.ai)\.azure\.(com|us|cn)$/, "azure"],
  [/^api\.anthropic\.com$/, "anthropic"],
  [/^bedrock(-runtime)?(-fips)?\.[a-z0-9-]+\.amazonaws\.com(\.cn)?$/, "bedrock"],
  [/^api\.cerebras\.ai$/, "cerebras"],
  [/^api\.cohere\.(ai|com)$/, "cohere"],
  [/^api\.deepinfra\.com$/, "deepinfra"],
  [/^api\.deepseek\.com$/, "deepseek"],
  [/^api\.fireworks\.ai$/, "fireworks_ai"],
  [/^generativelanguage\.googleapis\.com$/, "gemini"],
  [/^([a-z0-9-]+-)?aiplatform(\.[a-z]+)?\.(rep\.)?googleapis\.com$/, "vertex_ai"],
  [/^api\.groq\.com$/, "groq"],
  [/^(api|codestral)\.mistral\.ai$/, "mistral"],
  [/^openrouter\.ai$/, "openrouter"],
  [/^api\.perplexity\.ai$/, "perplexity"],
  [/^api\.together\.(xyz|ai)$/, "together_ai"],
  [/^api\.x\.ai$/, "xai"],
];

/**
 * The vendor that answers at an address; null if it is nobody's that is known here. With plain http anybody may answer,
 * so it is nobody's, unless `orHttp`.
 */
export function vendorOfHost(url: string, { orHttp = false } = {}): string | null {
  const parsed = URL.parse(url);
  if (parsed === null || (parsed.protocol !== "https:" && !orHttp)) return null;
  // A full name in DNS may end with a dot.
  const host = parsed.hostname.replace(/\.$/, "");
  return hosts.find(([pattern]) => pattern.test(host))?.[1] ?? null;
}

/** Vendors that answer no other vendor's models: a foreign name there means that the key is foreign too. */
const ownModelsOnly = new Set(["openai", "anthropic", "gemini"]);

/** Whether a vendor's own host has models of this name at all, as far as the name tells. */
export function hasModelsLike(vendor: string, model: string): boolean {
  if (!ownModelsOnly.has(vendor)) return true;
  const own = vendor === "gemini" ? "google" : vendor;
  // A name that still has a vendor before a slash is checked by both parts.
  const [prefix, ...rest] = model.split("/");
  if (rest.length > 0 && prefix !== vendor && Object.hasOwn(variables, prefix ?? "")) return false;
  const owner = vendorOfName(rest.at(-1) ?? model);
  return owner === null || owner === own;
}
