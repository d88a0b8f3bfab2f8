import type { AmazonBedrockProvider } from "@ai-sdk/amazon-bedrock";
import type { Provider, ProviderCall } from "#gateway/providers/provider.ts";
import { bedrockEmbeddingOptions } from "#gateway/translation/bedrock-embedding-options.ts";
import { bedrockWords } from "#gateway/translation/bedrock-words.ts";
import type { ProviderFetch } from "#gateway/translation/provider-fetch.ts";
import { translateChat } from "#gateway/translation/translate-chat.ts";
import { translateEmbedding } from "#gateway/translation/translate-embedding.ts";

/** What can be said of an account in `litellm_params`. */
const known = new Set([
  "aws_access_key_id",
  "aws_secret_access_key",
  "aws_session_token",
  "aws_region_name",
  "aws_bedrock_runtime_endpoint",
]);

/** Amazon Bedrock's Converse API and its models' embeddings, with keys of an account (SigV4) or with a Bedrock API key as `api_key`. */
export const bedrock: Provider = {
  name: "bedrock",
  apiBase: null,
  exceptionName: "BedrockException",
  translates: true,
  takes: ({ name }) => name === "chat" || name === "embedding",
  locate({ apiKey, vendorParams }) {
    const unknown = Object.keys(vendorParams).find((name) => name.startsWith("aws_") && !known.has(name));
    if (unknown !== undefined) return { problem: `has ${unknown}, which is not known. Fix: give the account's keys.` };
    const { aws_region_name: region, aws_access_key_id: id, aws_secret_access_key: secret } = vendorParams;
    if (region === undefined) return { problem: "has no region. Fix: add aws_region_name:, for example us-east-1." };
    if (apiKey === null && (id === undefined || secret === undefined)) {
      return { problem: "has no credentials. Fix: add aws_access_key_id: and aws_secret_access_key:, or api_key:." };
    }
    const suffix = region.startsWith("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
    return { apiBase: vendorParams.aws_bedrock_runtime_endpoint ?? `https://bedrock-runtime.${region}.${suffix}` };
  },
  async send(call) {
    const { upstreamModel } = call.deployment;
    const model = upstreamModel.replace(/^converse\//, "");
    if (call.operation.name === "embedding") {
      return translateEmbedding(call, {
        vendor: "bedrock",
        options: (request) => bedrockEmbeddingOptions(request, model),
        makeModel: async (asked, fetch) => (await makeProvider(asked, fetch)).embedding(model),
      });
    }
    return translateChat(call, {
      words: bedrockWords(upstreamModel),
      makeModel: async (asked, fetch) => (await makeProvider(asked, fetch))(model),
    });
  },
};

async function makeProvider({ deployment }: ProviderCall, fetch: ProviderFetch): Promise<AmazonBedrockProvider> {
  const { createAmazonBedrock } = await import("@ai-sdk/amazon-bedrock");
  const { apiBase, apiKey, vendorParams } = deployment;
  const { aws_session_token: sessionToken } = vendorParams;
  return createAmazonBedrock({
    baseURL: apiBase ?? "",
    region: vendorParams.aws_region_name ?? "",
    // Texts keep the library from looking into the environment; an empty key means that the account's keys sign.
    apiKey: apiKey ?? "",
    accessKeyId: vendorParams.aws_access_key_id ?? "",
    secretAccessKey: vendorParams.aws_secret_access_key ?? "",
    ...(sessionToken === undefined ? {} : { sessionToken }),
    fetch,
  });
}
