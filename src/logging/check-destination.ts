import { z } from "zod";
import { UpstreamError } from "#lib/errors.ts";
import { currentLogger } from "#lib/logger.ts";
import type { CheckResult } from "#logging/destinations/destination.ts";
import { findDestination } from "#logging/destinations/index.ts";
import { hideValues, type OpenedCallback } from "#logging/open-callback.ts";

/** What a health check found of one callback, as the wire shows it. No text holds a secret or an operator's address. */
export const DestinationCheck = z
  .object({
    callback_name: z.string(),
    callback_id: z.string(),
    state: z
      .enum(["healthy", "unhealthy", "unverified"])
      .describe(
        "`healthy` is said only on proof; `unverified` where the destination offers none, or could not be asked now.",
      ),
    message: z.string().describe("The destination's own words, without any secret."),
    target: z.string().nullable().describe("The project or bucket that was reached, where the destination tells."),
    latency_ms: z.number().int(),
  })
  .meta({ id: "DestinationCheck" });
export type DestinationCheck = z.output<typeof DestinationCheck>;

const deadlineMsDefault = 5_000;

/**
 * Asks a callback's destination whether it takes records, without leaving one there. Answers within the deadline
 * whatever the destination does, and never throws.
 */
export async function checkDestination(
  opened: OpenedCallback,
  deadlineMs: number = deadlineMsDefault,
): Promise<DestinationCheck> {
  const startMs = performance.now();
  const { state, message, target } = await checkWithin(opened, deadlineMs);
  return {
    callback_name: opened.callbackName,
    callback_id: opened.callbackId,
    state,
    message: hideValues(message, opened),
    target: target === null ? null : hideValues(target, opened),
    latency_ms: Math.round(performance.now() - startMs),
  };
}

async function checkWithin({ callbackId, resolved }: OpenedCallback, deadlineMs: number): Promise<CheckResult> {
  if (resolved.state === "gone") return unhealthy("The callback does not exist any more.");
  if (resolved.state === "misconfigured") return unhealthy(resolved.message);
  const destination = findDestination(resolved.callbackName);
  if (!destination) return unhealthy("There is no such destination.");
  const controller = new AbortController();
  const late = Promise.withResolvers<CheckResult>();
  const timer = setTimeout(() => {
    late.resolve(unhealthy(`The destination did not answer within ${String(deadlineMs / 1000)} seconds.`));
    controller.abort(new Error("The health check is over."));
  }, deadlineMs);
  const context = { callbackId, reach: resolved.reach, signal: controller.signal };
  try {
    // A destination that does not heed the signal may not hold up the answer.
    return await Promise.race([destination.check(resolved.vars, context), late.promise]);
  } catch (error) {
    return unhealthy(toMessage(error));
  } finally {
    clearTimeout(timer);
  }
}

function toMessage(error: unknown): string {
  if (error instanceof UpstreamError) return error.message;
  if (error instanceof z.ZodError) {
    const [issue] = error.issues;
    return `The variable ${issue?.path.join(".") ?? ""} does not fit: ${issue?.message ?? "invalid value"}`;
  }
  currentLogger().error({ error: error instanceof Error ? error.stack : String(error) }, "a health check failed");
  return "The check failed (internal error).";
}

function unhealthy(message: string): CheckResult {
  return { state: "unhealthy", message, target: null };
}
