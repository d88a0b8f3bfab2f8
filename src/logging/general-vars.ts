import { z } from "zod";
import { currentLogger } from "#lib/logger.ts";
import type { CallbackTarget, CallbackVars, generalVars } from "#logging/callback.ts";
import type { CallbackRules } from "#logging/callback-rules.ts";
import { ContentClass } from "#logging/content-class.ts";
import { levelOfTurnOff, RedactionLevel } from "#logging/redaction-level.ts";

/** A variable that every callback takes. */
export type GeneralVar = (typeof generalVars)[number];

/** What each general variable does, in one line for people. */
export const generalVarTexts: Readonly<Record<GeneralVar, string>> = {
  turn_off_message_logging: "true: prompts, answers and other content are redacted; false: they are not.",
  litellm_disabled_callbacks: "Names of callbacks that get none of the calls of this key or team.",
  redaction: "off, content or metadata_only: how much of a record leaves. Wins over turn_off_message_logging.",
  redact_classes: "Classes of content that are taken out whatever the level says, for example tool_results, tags.",
  sampling_rate: "The share of calls that is logged here, 0 to 1; a call's record id decides.",
  sampling_keep_failures: "true: failed calls are logged whatever the sampling says.",
  filter_models: "Only calls of these models, by public or upstream name; gpt-4* stands for all that begin so.",
  filter_keys: "Only calls of these keys, by alias or hash.",
  filter_status: "Only calls that ended so: success, failure.",
};

/** A list, text with commas, or a list as LiteLLM keeps it in a team: Python's text of it. */
const Texts = z
  .union([z.string().transform(splitText), z.array(z.string())])
  .transform((texts) => texts.map((text) => text.trim()).filter((text) => text !== ""));

const Switch = z.union([z.boolean(), z.stringbool({ truthy: ["true"], falsy: ["false"] })]);
const Level = z.string().trim().toLowerCase().pipe(RedactionLevel);
const Rate = z
  .union([z.number(), z.string().trim().min(1).transform(Number)])
  .pipe(z.number("Expected a number from 0 to 1.").min(0).max(1));
const Status = z.enum(["success", "failure"]);

const schemas: Readonly<
  Record<Exclude<GeneralVar, "turn_off_message_logging" | "litellm_disabled_callbacks">, z.ZodType>
> = {
  redaction: Level,
  redact_classes: Texts.pipe(z.array(ContentClass)),
  sampling_rate: Rate,
  sampling_keep_failures: Switch,
  filter_models: Texts,
  filter_keys: Texts,
  filter_status: Texts.pipe(z.array(Status)),
};

/** Why the value of a general variable cannot be stored; null if it can. */
export function findGeneralVarFault(name: string, value: unknown): string | null {
  // A switch for privacy that nobody understands would be ignored.
  if (["turn_off_message_logging", "message_logging"].includes(name) && levelOfTurnOff(value) === null)
    return "Expected true or false";
  const schema = Object.entries(schemas).find(([known]) => known === name)?.[1];
  const parsed = schema?.safeParse(value);
  return parsed?.error === undefined ? null : (parsed.error.issues[0]?.message ?? "invalid value");
}

/**
 * What the general variables of a callback say of redaction and of which calls it gets. What cannot be understood is
 * left out with a warning that names `owner` (a callback, or a team of config.yaml), so that no log is lost and no other content is kept by it.
 */
export function readGeneralVars(
  vars: CallbackVars,
  owner: string,
): Pick<CallbackTarget, "redaction" | "redactClasses" | "rules" | "disabledCallbacks"> {
  const ignored: string[] = [];
  function read<Value>(name: GeneralVar, schema: z.ZodType<Value>, otherwise: Value): Value {
    const value = vars[name];
    if (value === undefined || value === null || (typeof value === "string" && value.trim() === "")) return otherwise;
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    ignored.push(name);
    return otherwise;
  }
  function readNames<Name extends string>(name: GeneralVar, known: z.ZodType<Name>): Name[] {
    return read(name, Texts, []).flatMap((text) => {
      const parsed = known.safeParse(text);
      if (!parsed.success) ignored.push(`${name}: ${text.slice(0, 40)}`);
      return parsed.success ? [parsed.data] : [];
    });
  }
  const redaction = read<RedactionLevel | null>("redaction", Level, null);
  const redactClasses = [...new Set(readNames("redact_classes", ContentClass))].toSorted();
  const rules: CallbackRules = {
    samplingRate: read("sampling_rate", Rate, 1),
    keepsFailures: read("sampling_keep_failures", Switch, false),
    models: read("filter_models", Texts, []),
    keys: read("filter_keys", Texts, []),
    statuses: readNames("filter_status", Status),
  };
  const disabledCallbacks = read("litellm_disabled_callbacks", Texts, []).map((name) => name.toLowerCase());
  if (ignored.length > 0) currentLogger().warn({ owner, ignored }, "values of callback variables are ignored");
  return {
    redaction: redaction ?? levelOfSwitches(vars),
    ...(redactClasses.length === 0 ? {} : { redactClasses }),
    ...(hasRules(rules) ? { rules } : {}),
    ...(disabledCallbacks.length === 0 ? {} : { disabledCallbacks }),
  };
}

/** LiteLLM's switch; `message_logging`, which it knows in `callback_settings` alone, is heard too if it says no. */
function levelOfSwitches({ turn_off_message_logging: off, message_logging: on }: CallbackVars): RedactionLevel | null {
  return levelOfTurnOff(on) === "off" ? "content" : levelOfTurnOff(off);
}

function splitText(text: string): string[] {
  const list = /^\s*\[(.*)\]\s*$/s.exec(text)?.[1];
  if (list === undefined) return text.split(",");
  return list.split(",").map((item) => item.trim().replace(/^(['"])(.*)\1$/s, "$2"));
}

function hasRules({ samplingRate, models, keys, statuses }: CallbackRules): boolean {
  return samplingRate < 1 || [models, keys, statuses].some((names) => names.length > 0);
}
