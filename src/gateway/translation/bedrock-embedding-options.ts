import type { SharedV4ProviderOptions } from "@ai-sdk/provider";
import type { EmbeddingRequest } from "#gateway/translation/translate-embedding.ts";
import { refuseField } from "#gateway/translation/refuse-field.ts";
import { withoutUndefined } from "#lib/without-undefined.ts";

/** The vectors' lengths that a family of models has. https://docs.aws.amazon.com/bedrock/latest/userguide/titan-embedding-models.html */
const lengths = { titan: [256, 512, 1024], nova: [256, 384, 1024, 3072], cohere: [256, 512, 1024, 1536] } as const;

/** What an embedding model of Amazon Bedrock is told. Throws a 400 for what its family has no word for. */
export function bedrockEmbeddingOptions(
  { dimensions, input_type: inputType }: EmbeddingRequest,
  model: string,
): SharedV4ProviderOptions {
  const family = model.includes("cohere.embed-") ? "cohere" : model.includes("amazon.nova-") ? "nova" : "titan";
  if (dimensions !== undefined && !lengths[family].some((length) => length === dimensions)) {
    throw refuseField("dimensions", `dimensions can be ${lengths[family].join(", ")} for ${model}.`);
  }
  if (inputType !== undefined && family !== "cohere") {
    throw refuseField("input_type", `input_type cannot be translated for ${model}.`);
  }
  if (family === "nova") return { amazonBedrock: withoutUndefined({ embeddingDimension: dimensions }) };
  if (family === "titan") return { amazonBedrock: withoutUndefined({ dimensions }) };
  // Cohere refuses a request without it. What is embedded is mostly what will be found.
  return {
    amazonBedrock: withoutUndefined({ inputType: inputType ?? "search_document", outputDimension: dimensions }),
  };
}
