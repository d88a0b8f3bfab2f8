import { configState } from "#lib/config.ts";
import { AppError } from "#lib/errors.ts";
import { currentLogger } from "#lib/logger.ts";
import { isSealedText } from "#lib/seal.ts";
import { assertMayRefer, checkCallback, type CallbackWriter } from "#logging/check-callback.ts";
import type { CallbackPlan, PlannedCallback } from "#logging/plan-callbacks.ts";
import type { CallbackEntry } from "#logging/read-logging.ts";

/**
 * Checks what a plan would write, before a transaction is open, because names are looked up. What stays as it is
 * stored is never refused. Errors name the index of the entry.
 */
export async function checkPlan(plan: CallbackPlan, writer: CallbackWriter): Promise<void> {
  for (const callback of plan.planned) {
    if (callback.change === "kept" || callback.change === "moved") continue;
    try {
      await checkEntry(callback, writer);
    } catch (error) {
      throw error instanceof AppError ? atIndex(error, callback) : error;
    }
  }
  if (plan.lostMasks.length > 0) {
    currentLogger().warn({ variables: plan.lostMasks }, "a mask was written back where nothing is stored for it");
  }
}

/** Checks one callback that is to be stored, as `checkCallback` says; an entry without a name is let through. */
export async function checkEntry(entry: CallbackEntry, writer: CallbackWriter): Promise<void> {
  for (const [name, value] of Object.entries(entry.callbackVars)) {
    if (typeof value !== "string" || !isSealedText(value)) continue;
    throw new AppError("bad_request", `${name} must be given in clear.`, { param: `callback_vars.${name}` });
  }
  if (entry.callbackName === "") return;
  const callback = { callback_name: entry.callbackName, callback_vars: entry.callbackVars };
  assertMayRefer(callback, writer);
  await checkCallback(callback, configState.get());
}

function atIndex(error: AppError, { position }: PlannedCallback): AppError {
  const place = `metadata.logging[${String(position)}]`;
  const param = error.param === null ? place : `${place}.${error.param}`;
  const loc = ["body", "metadata", "logging", position, ...splitOnce(error.param ?? "")];
  const detail =
    error.detail === undefined ? {} : { detail: [{ type: "value_error", loc, msg: error.message, input: null }] };
  return new AppError(error.code, `${place}: ${error.message}`, { param, cause: error, ...detail });
}

/** `callback_vars.NAME` in its two parts; a name may hold dots. */
function splitOnce(param: string): string[] {
  const dot = param.indexOf(".");
  return dot === -1 ? [param] : [param.slice(0, dot), param.slice(dot + 1)];
}
