import { z } from "zod";
import type { CallbackRules } from "#logging/callback-rules.ts";
import type { ContentClass } from "#logging/content-class.ts";

/** When a callback fires. `null` and absent mean both, as LiteLLM has it. */
export const CallbackType = z.enum(["success", "failure", "success_and_failure"]);
export type CallbackType = z.output<typeof CallbackType>;

/** The value of a callback variable on the wire, with its JSON type. */
export const CallbackVar = z.union([z.string(), z.number(), z.boolean(), z.null(), z.array(z.string())]);
export type CallbackVar = z.output<typeof CallbackVar>;

/** The variables of a callback by name. */
export const CallbackVars = z.record(z.string(), CallbackVar);
export type CallbackVars = z.output<typeof CallbackVars>;

/** One callback as the wire has it: in `POST /team/{team_id}/callback` and in `metadata.logging`. */
export const Callback = z.object({
  callback_name: z.string().min(1),
  callback_type: CallbackType.nullish(),
  callback_vars: CallbackVars,
});
export type Callback = z.output<typeof Callback>;

/** Variables that every callback takes beside its own. */
export const generalVars = [
  "turn_off_message_logging",
  "litellm_disabled_callbacks",
  "redaction",
  "redact_classes",
  "sampling_rate",
  "sampling_keep_failures",
  "filter_models",
  "filter_keys",
  "filter_status",
] as const;

/** What a secret looks like where no trace of it is shown. Written back, it means "keep what is stored". */
export const secretMask = "***REDACTED***";

/** Where one record goes: which callback, what it fires on, and how much of the record it may get. */
export type CallbackTarget = {
  /** The id of the stored callback, or `config:…` for one that stands in config.yaml. */
  callbackId: string;
  callbackName: string;
  firesOn: CallbackType;
  /** Of the callback itself: `redaction`, else `turn_off_message_logging`, of its variables; null: it says nothing. */
  redaction: "off" | "content" | "metadata_only" | null;
  /** Content that goes whatever the level says; absent: none. */
  redactClasses?: readonly ContentClass[];
  /** Which of the calls it gets; absent: all. */
  rules?: CallbackRules;
  /** Names of callbacks, in lower case, that get none of the calls of the level on which this one stands. */
  disabledCallbacks?: readonly string[];
};
