import type { EmbeddingModelV4, SharedV4ProviderOptions } from "@ai-sdk/provider";
import { z } from "zod";
import type { ProviderAnswer, ProviderCall } from "#gateway/providers/provider.ts";
import { toWholeBody } from "#gateway/translation/answer-body.ts";
import { makeProviderFetch, type ProviderFetch } from "#gateway/translation/provider-fetch.ts";
import { toFailedAnswer } from "#gateway/translation/provider-failure.ts";
import { refuseField, toRefusal } from "#gateway/translation/refuse-field.ts";
import type { JsonObject } from "#logging/record.ts";

/** The fields of an embedding request that a translation can express. Fields that are null are absent. */
const EmbeddingRequest = z.strictObject({
  model: z.string(),
  input: z.union([z.string().transform((text) => [text]), z.array(z.string()).min(1)], {
    error: "must be a text or a list of texts",
  }),
  dimensions: z.number().int().positive().optional(),
  encoding_format: z.enum(["float", "base64"]).optional(),
  input_type: z.enum(["search_document", "search_query", "classification", "clustering"]).optional(),
  user: z.string().optional(),
});

/** An embedding request that was read. */
export type EmbeddingRequest = z.output<typeof EmbeddingRequest>;

/** A vendor whose embeddings are not OpenAI's: how it is spoken to, and the library that speaks it. */
export type EmbeddingTranslator = {
  vendor: string;
  /** The vendor's own options. Throws a 400 for a field that the model has no word for. */
  options(request: EmbeddingRequest): SharedV4ProviderOptions;
  makeModel(call: ProviderCall, fetch: ProviderFetch): Promise<EmbeddingModelV4>;
};

/** How many requests are under way at once where a vendor takes one text each. */
const parallelMax = 8;

/**
 * Answers an embedding request of OpenAI's wire with a vendor that has another one: all texts, in their order, with as
 * many requests as the vendor needs for them. Throws a 400 that names what cannot be translated.
 */
export async function translateEmbedding(call: ProviderCall, translator: EmbeddingTranslator): Promise<ProviderAnswer> {
  const { deployment, body } = call;
  const { request, dropped } = readRequest(body, { vendor: translator.vendor, drops: deployment.dropsParams });
  const providerOptions = translator.options(request);
  const ending = new AbortController();
  const signal = call.signal ? AbortSignal.any([call.signal, ending.signal]) : ending.signal;
  const model = await translator.makeModel(call, makeProviderFetch({ ...call, signal }));
  const size = (await model.maxEmbeddingsPerCall) ?? request.input.length;
  const groups = chunk(request.input, size);
  const embeddings: number[][] = [];
  let tokens = 0;
  try {
    for (const some of chunk(groups, parallelMax)) {
      const results = await Promise.all(some.map((values) => model.doEmbed({ values, providerOptions })));
      for (const result of results) {
        embeddings.push(...result.embeddings);
        tokens += Number.isFinite(result.usage?.tokens) ? (result.usage?.tokens ?? 0) : 0;
      }
    }
  } catch (thrown) {
    ending.abort(new Error("One of the requests failed."));
    return toFailedAnswer(thrown);
  }
  const answer = {
    object: "list",
    data: embeddings.map((vector, index) => ({ object: "embedding", index, embedding: encode(vector, request) })),
    model: model.modelId,
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  };
  const notes = dropped.length === 0 ? {} : { dropped };
  const headers = { "content-type": "application/json" };
  return { status: 200, headers, body: toWholeBody(JSON.stringify(answer)), ...notes };
}

function readRequest(
  body: JsonObject,
  { vendor, drops }: { vendor: string; drops: boolean },
): { request: EmbeddingRequest; dropped: string[] } {
  const fields: JsonObject = {};
  const dropped: string[] = [];
  for (const [name, value] of Object.entries(body)) {
    if (value === null) continue;
    if (Object.hasOwn(EmbeddingRequest.shape, name)) fields[name] = value;
    else if (drops) dropped.push(name);
    else throw refuseField(name, `${name} cannot be translated for ${vendor}.`);
  }
  const parsed = EmbeddingRequest.safeParse(fields);
  if (!parsed.success) throw toRefusal(parsed.error, vendor);
  return { request: parsed.data, dropped };
}

/** OpenAI's `base64` is the bytes of 32-bit floats, the least significant first. */
function encode(vector: readonly number[], { encoding_format: format }: EmbeddingRequest): readonly number[] | string {
  if (format !== "base64") return vector;
  const bytes = Buffer.alloc(vector.length * 4);
  for (const [index, value] of vector.entries()) bytes.writeFloatLE(value, index * 4);
  return bytes.toString("base64");
}

function chunk<T>(values: readonly T[], size: number): T[][] {
  const chunks: T[][] = [];
  for (let start = 0; start < values.length; start += size) chunks.push(values.slice(start, start + size));
  return chunks;
}
