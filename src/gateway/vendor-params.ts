import { vendorOfHost, type VendorEnv } from "#gateway/model-vendors.ts";

/** The `aws_…` and `vertex_…` of an entry. A service account may be written as a mapping instead of as a JSON text. */
export function readVendorParams(params: Readonly<Record<string, unknown>>): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [name, value] of Object.entries(params)) {
    if (!/^(aws|vertex)_/.test(name) || value === null || value === undefined) continue;
    found[name] = typeof value === "string" ? value : JSON.stringify(value);
  }
  return found;
}

const awsKeys = {
  aws_access_key_id: "AWS_ACCESS_KEY_ID",
  aws_secret_access_key: "AWS_SECRET_ACCESS_KEY",
  aws_session_token: "AWS_SESSION_TOKEN",
};

const places: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  bedrock: {
    aws_region_name: ["AWS_REGION_NAME", "AWS_REGION", "AWS_DEFAULT_REGION"],
    aws_bedrock_runtime_endpoint: ["AWS_BEDROCK_RUNTIME_ENDPOINT"],
  },
  vertex_ai: {
    vertex_project: ["VERTEXAI_PROJECT"],
    vertex_location: ["VERTEXAI_LOCATION", "VERTEX_LOCATION"],
  },
};

/**
 * What an entry says of its account, and of the cloud's variables what it leaves out. Keys come whole from one place:
 * from the environment only if the entry has none and names no host that is not Amazon's.
 */
export function fillVendorParams(
  params: Readonly<Record<string, string>>,
  { vendor, given, apiKey, env }: { vendor: string; given: string | null; apiKey: string | null; env: VendorEnv },
): Record<string, string> {
  const filled: Record<string, string> = {};
  for (const [name, variables] of Object.entries(places[vendor] ?? {})) {
    const value = variables.map((variable) => env[variable] ?? "").find((text) => text !== "");
    if (value !== undefined) filled[name] = value;
  }
  const chosen = given ?? params["aws_bedrock_runtime_endpoint"] ?? null;
  const isOwnHost = chosen === null || vendorOfHost(chosen) === "bedrock";
  const hasKeys = apiKey !== null || Object.keys(awsKeys).some((name) => params[name] !== undefined);
  if (vendor === "bedrock" && isOwnHost && !hasKeys) {
    for (const [name, variable] of Object.entries(awsKeys)) {
      const value = env[variable];
      if (value) filled[name] = value;
    }
  }
  return { ...filled, ...params };
}
