import { foreseeUnits, type BilledUnits } from "#gateway/billed-units.ts";
import { costOf, findContextWindow } from "#gateway/call-cost.ts";
import { estimatePromptTokens } from "#gateway/estimate-tokens.ts";
import type { Deployment } from "#gateway/models.ts";
import type { OperationName } from "#gateway/operation.ts";
import { estimateAudioSeconds } from "#gateway/settle-usage.ts";
import { isJsonObject, noUsage, type Json, type JsonObject } from "#logging/record.ts";

/** What an answer is taken to be long if the request sets no bound. */
const outputTokensDefault = 500;
/** The most that one answer is taken to be long, if neither `model_info` nor the price list knows its model's limit. */
const outputTokensUnknownMax = 16_384;
/** The most answers that a request may ask for at once: OpenAI's limit. */
const choicesMax = 128;

/** `isBound`: the request itself says what it may cost, so the default length of an answer decides little. */
export type CostEstimate = { usd: number; isBound: boolean };

/**
 * What a call may cost in USD before it is made: the prompt, and the answer as long as request and model allow. Always
 * finite and never negative, whatever numbers a client sends. How long a call will take nobody knows yet.
 */
export function estimateCost(operation: OperationName, body: JsonObject, deployment: Deployment | null): CostEstimate {
  const promptTokens = estimatePromptTokens(body);
  const asked = askedTokens(body) ?? askedTokens(deployment?.defaults ?? {});
  const choices = countChoices(body);
  const completionTokens = Math.min(asked ?? outputTokensDefault, outputLimit(deployment)) * choices;
  const units = foreseeAll(operation, body);
  const promptUsage = { ...noUsage, promptTokens, totalTokens: promptTokens };
  const usage = { ...promptUsage, completionTokens, totalTokens: promptTokens + completionTokens };
  const usd = toFinite(costOf(usage, deployment, units));
  const isMostlyPrompt = usd > 0 && 2 * toFinite(costOf(promptUsage, deployment, units)) >= usd;
  return { usd, isBound: asked !== null || choices > 1 || isMostlyPrompt };
}

function toFinite(usd: number): number {
  return Number.isFinite(usd) ? Math.max(0, usd) : 0;
}

const boundFields = ["max_completion_tokens", "max_output_tokens", "max_tokens"];

/** The largest bound that a request names, thinking beside the answer included: upstreams differ in which one they obey. */
function askedTokens(body: Readonly<JsonObject>): number | null {
  const bounds = boundFields.map((name) => toAmount(body[name]) ?? 0);
  const thinking = isJsonObject(body.thinking) ? (toAmount(body.thinking.budget_tokens) ?? 0) : 0;
  const asked = Math.max(...bounds);
  return asked > 0 ? asked + thinking : thinking > 0 ? thinking + outputTokensDefault : null;
}

function outputLimit(deployment: Deployment | null): number {
  if (deployment === null) return outputTokensUnknownMax;
  return deployment.outputTokensMax ?? Math.min(outputTokensUnknownMax, findContextWindow(deployment) ?? Infinity);
}

function countChoices({ n, best_of: bestOf }: JsonObject): number {
  return Math.min(choicesMax, Math.max(1, toAmount(n) ?? 1, toAmount(bestOf) ?? 1));
}

function foreseeAll(operation: OperationName, body: JsonObject): BilledUnits {
  return { ...foreseeUnits(operation, body), audioSeconds: estimateAudioSeconds(operation, body) };
}

/** A number above 0; forms and some clients write numbers as texts. Null for anything else, also for one without an end. */
function toAmount(value: Json | undefined): number | null {
  const amount = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  return typeof amount === "number" && amount > 0 && amount !== Infinity ? amount : null;
}
