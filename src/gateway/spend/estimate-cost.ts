import { foreseeUnits } from "#gateway/billed-units.ts";
import { costOf } from "#gateway/call-cost.ts";
import type { Deployment } from "#gateway/models.ts";
import type { OperationName } from "#gateway/operation.ts";
import { noUsage, type Json, type JsonObject } from "#logging/record.ts";

/** What an answer is taken to be long where the request sets no bound. */
const outputTokensDefault = 500;
const charactersPerToken = 4;

/**
 * What a call may cost in USD before it is made: four characters are a token, and the answer is as long as it may be.
 * How long a recording is, and how long a call will take, nobody knows yet.
 */
export function estimateCost(operation: OperationName, body: JsonObject, deployment: Deployment | null): number {
  const asked: Json = [body.messages ?? null, body.input ?? null, body.prompt ?? null, body.system ?? null];
  const promptTokens = Math.ceil(JSON.stringify(asked).length / charactersPerToken);
  const bound = body.max_completion_tokens ?? body.max_output_tokens ?? body.max_tokens;
  const completionTokens = typeof bound === "number" && bound > 0 ? bound : outputTokensDefault;
  return costOf(
    { ...noUsage, promptTokens, completionTokens, totalTokens: promptTokens + completionTokens },
    deployment,
    foreseeUnits(operation, body),
  );
}
