import { foreseeUnits, readUnits, type BilledUnits } from "#gateway/billed-units.ts";
import type { CallStart } from "#gateway/call-record.ts";
import { estimateAnswerTokens, estimatePromptTokens } from "#gateway/estimate-tokens.ts";
import type { OperationName } from "#gateway/operation.ts";
import { toUsage } from "#gateway/usage.ts";
import { isJsonObject, type Json, type JsonObject, type RecordUsage } from "#logging/record.ts";

/** What there is of an answer when its call is over. */
export type AnswerSoFar = {
  response: JsonObject | null;
  usage: Json | undefined;
  /** True if the answer is complete. */
  isWhole: boolean;
  /** True if `usage` counts all of it. */
  isUsageFinal: boolean;
};

/** Nothing came of a call that the upstream has begun to work on. */
export const noAnswer: AnswerSoFar = { response: null, usage: undefined, isWhole: false, isUsageFinal: false };

/** Operations that all vendors bill by tokens: without counts of the upstream they are always estimated. */
const byTokens: readonly OperationName[] = ["chat", "text", "responses", "messages", "embedding"];
/** Some vendors bill these by tokens: they are estimated if the answer did not come whole. */
const oftenByTokens: readonly OperationName[] = ["image", "image_edit", "transcription", "translation"];

/** A picture of medium quality, as OpenAI counts it. */
const pictureTokens = 1_056;

/** Recordings have about as many bytes a second, and a second about as many tokens. */
const audioBytesPerSecond = 16_000;
const audioTokensPerSecond = 10;

type Asked = Pick<CallStart, "operation" | "body">;

/**
 * What a call is counted with: the upstream's own counts if they are final. Otherwise it is estimated, and marked so: the
 * upstream's count of the prompt if there is one, and the larger of its count of the answer and what the answer comes
 * to. A stream that is cut costs what came of it, and so does one whose upstream never counts.
 */
export function settleUsage({ operation: { name }, body }: Asked, answer: AnswerSoFar): RecordUsage {
  const known = toUsage(answer.usage);
  if (answer.isUsageFinal && known.totalTokens > 0) return known;
  if (!byTokens.includes(name) && (answer.isWhole || !oftenByTokens.includes(name))) return known;
  const promptTokens = known.promptTokens || estimateInput(name, body);
  const completionTokens = Math.max(known.completionTokens, estimateOutput(name, body, answer.response));
  if (promptTokens + completionTokens === 0) return known;
  return { ...known, promptTokens, completionTokens, totalTokens: promptTokens + completionTokens, isEstimated: true };
}

/** What a call is billed by beside its tokens. If the answer did not come whole, what was asked for is billed. */
export function settleUnits(
  { operation: { name }, body }: Asked,
  { response, seconds, isWhole }: { response: JsonObject | null; seconds: number; isWhole: boolean },
): BilledUnits {
  const units = readUnits({ operation: name, body, response, seconds });
  if (isWhole) return units;
  const asked = foreseeUnits(name, body);
  return {
    images: Math.max(units.images, asked.images),
    audioSeconds: units.audioSeconds || estimateAudioSeconds(name, body),
    characters: asked.characters,
    queries: Math.max(units.queries, asked.queries),
    callSeconds: isAudio(name) ? null : units.callSeconds,
  };
}

function isAudio(name: OperationName): boolean {
  return name === "transcription" || name === "translation";
}

function estimateInput(name: OperationName, body: JsonObject): number {
  return isAudio(name)
    ? Math.ceil(estimateAudioSeconds(name, body) * audioTokensPerSecond)
    : estimatePromptTokens(body);
}

function estimateOutput(name: OperationName, body: JsonObject, response: JsonObject | null): number {
  if (name === "image" || name === "image_edit") return foreseeUnits(name, body).images * pictureTokens;
  return estimateAnswerTokens(name, response);
}

/** How long a recording is, about, by the length of its file. */
export function estimateAudioSeconds(name: OperationName, { file }: JsonObject): number {
  if (!isAudio(name) || !isJsonObject(file) || typeof file.bytes !== "number") return 0;
  return file.bytes / audioBytesPerSecond;
}
