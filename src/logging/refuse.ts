import { configState } from "#lib/config.ts";
import type { AppError } from "#lib/errors.ts";
import { currentLogger } from "#lib/logger.ts";

/** Throws, or where `general_settings.lenient_callbacks` asks for LiteLLM's leniency, only says so in the log. */
export function refuse(error: AppError): void {
  if (!configState.get().general_settings.lenient_callbacks) throw error;
  currentLogger().warn({ param: error.param, reason: error.message }, "a callback entry does not fit");
}
