import { z } from "zod";
import { AppError } from "#lib/errors.ts";
import { CallbackType, CallbackVar, type CallbackVars } from "#logging/callback.ts";
import { assertNoIgnoredControls } from "#logging/control-field.ts";
import { readLegacySettings } from "#logging/read-legacy-settings.ts";
import { refuse } from "#logging/refuse.ts";

/** One entry of `metadata.logging` as given; a lenient one may have an empty name or a type that is none. */
export type CallbackEntry = { callbackName: string; callbackType: string | null; callbackVars: CallbackVars };

/** What the `metadata` of a write says about logging, and the rest of it. */
export type LoggingInput = {
  state: "unset" | "own" | "disabled";
  entries: readonly CallbackEntry[];
  /** The metadata without what it says about logging. */
  metadata: Metadata;
};

/** Free-form metadata of a key or a team. */
export const Metadata = z.record(z.string(), z.json());
export type Metadata = z.output<typeof Metadata>;

const AnyObject = z.record(z.string(), z.unknown());

/**
 * Takes `logging`, or where it is absent LiteLLM's older `callback_settings`, out of metadata. Throws 400 for an entry
 * that is no object or has no `callback_name` and 422 for a wrong type, each with its index; with
 * `general_settings.lenient_callbacks` such entries are kept as far as they go.
 */
export function readLogging(given: Metadata): LoggingInput {
  assertNoIgnoredControls(given);
  const { logging, callback_settings: legacy, ...metadata } = given;
  if (logging === undefined || logging === null) {
    const entries = readLegacySettings(legacy);
    return { state: entries.length === 0 ? "unset" : "own", entries, metadata };
  }
  if (!Array.isArray(logging)) {
    refuse(new AppError("bad_request", "metadata.logging must be a list.", { param: "metadata.logging" }));
    return { state: "unset", entries: [], metadata };
  }
  const entries = logging.flatMap((entry, index) => readEntry(entry, index) ?? []);
  return { state: logging.length === 0 ? "disabled" : "own", entries, metadata };
}

function readEntry(given: unknown, index: number): CallbackEntry | null {
  const place = `metadata.logging[${String(index)}]`;
  const entry = AnyObject.safeParse(given);
  if (!entry.success) {
    refuse(new AppError("bad_request", `${place} must be an object with a callback_name.`, { param: place }));
    return null;
  }
  const { callback_name: name, callback_type: type, callback_vars: vars } = entry.data;
  if (typeof name !== "string" || name === "") {
    const param = `${place}.callback_name`;
    refuse(new AppError("bad_request", `${place}: callback_name is required.`, { param }));
  }
  if (!CallbackType.nullish().safeParse(type).success) {
    refuse(wrongType(index, "callback_type", "Input should be 'success', 'failure' or 'success_and_failure'"));
  }
  return {
    callbackName: typeof name === "string" ? name : "",
    callbackType: typeof type === "string" ? type : null,
    callbackVars: readVars(vars, index),
  };
}

function readVars(given: unknown, index: number): CallbackVars {
  const vars = AnyObject.safeParse(given ?? {});
  if (!vars.success) {
    refuse(wrongType(index, "callback_vars", "Input should be a valid dictionary"));
    return {};
  }
  const kept = Object.entries(vars.data).flatMap(([name, value]): [string, CallbackVar][] => {
    const parsed = CallbackVar.safeParse(value);
    if (parsed.success) return [[name, parsed.data]];
    refuse(wrongType(index, `callback_vars.${name}`, "Input should be text, a number, a boolean or a list of texts"));
    return [];
  });
  return Object.fromEntries(kept);
}

function wrongType(index: number, field: string, msg: string): AppError {
  const loc = ["body", "metadata", "logging", index, ...field.split(".")];
  const param = `metadata.logging[${String(index)}].${field}`;
  return new AppError("unprocessable", `${param}: ${msg}`, {
    param,
    detail: [{ type: "value_error", loc, msg, input: null }],
  });
}
