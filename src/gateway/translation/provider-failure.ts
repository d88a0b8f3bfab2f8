import {
  AISDKError,
  APICallError,
  InvalidArgumentError,
  InvalidPromptError,
  TypeValidationError,
  UnsupportedFunctionalityError,
} from "@ai-sdk/provider";
import { z } from "zod";
import type { ProviderAnswer } from "#gateway/providers/provider.ts";
import { toOpenaiErrorFrame } from "#gateway/stream-wire.ts";
import { toWholeBody } from "#gateway/translation/answer-body.ts";
import { refuseField } from "#gateway/translation/refuse-field.ts";
import { AppError, UpstreamError } from "#lib/errors.ts";

/**
 * What a provider's library threw, as the answer that the vendor gave: its status, its headers and its own words, which
 * count for retries and fallbacks as those of any upstream. Throws `UpstreamError` where there was no such answer.
 */
export function toFailedAnswer(thrown: unknown): ProviderAnswer {
  const known = findKnown(thrown);
  if (known) throw known;
  if (!APICallError.isInstance(thrown) || thrown.statusCode === undefined || thrown.statusCode < 400) {
    throw new UpstreamError(0, "The upstream's answer is not one that its API documents.", { cause: thrown });
  }
  const { statusCode: status, responseHeaders: headers = {}, responseBody = "" } = thrown;
  return { status, headers, body: toWholeBody(responseBody) };
}

/** What a provider's library has against a request before it sends it: a 400 in its words, or the bug that it is. */
export function toRequestRefusal(thrown: unknown): unknown {
  const isRefusal =
    UnsupportedFunctionalityError.isInstance(thrown) ||
    InvalidArgumentError.isInstance(thrown) ||
    InvalidPromptError.isInstance(thrown) ||
    TypeValidationError.isInstance(thrown);
  return isRefusal ? refuseField("messages", `The request cannot be translated: ${thrown.message}`) : thrown;
}

/** The frame for an error that a vendor sent in the middle of its stream. */
export function toErrorFrame(error: unknown): string {
  const known = findKnown(error);
  if (known) throw known;
  if (AISDKError.isInstance(error)) return toUnreadableFrame();
  const said = StreamError.safeParse(error);
  if (!said.success) return toUnreadableFrame();
  const { message, type, statusCode: status } = said.data;
  return toOpenaiErrorFrame(new AppError("internal", message, { status, type }));
}

/** What libraries make of an error event. */
const StreamError = z.object({
  message: z.string(),
  type: z.string().catch("api_error"),
  statusCode: z.number().int().min(400).max(599).catch(500),
});

function toUnreadableFrame(): string {
  const message = "The upstream sent an event that its API does not document.";
  return toOpenaiErrorFrame(new AppError("internal", message, { status: 502, type: "api_error" }));
}

/** The error of our own that a library wrapped, if it is one. */
function findKnown(thrown: unknown): AppError | UpstreamError | null {
  for (let error = thrown, depth = 0; error instanceof Error && depth < 8; error = error.cause, depth += 1) {
    if (error instanceof AppError || error instanceof UpstreamError) return error;
  }
  return null;
}
