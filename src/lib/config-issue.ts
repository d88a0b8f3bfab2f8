import type { z } from "zod";
import { isRecord, valueAt, type ConfigPath } from "#lib/config-document.ts";
import { referencedName } from "#lib/config-references.ts";

/** Names of settings whose values are never shown. */
const sensitiveName = /key|secret|password|passwd|token|credential|auth|database_url|environment_variables|account/i;

/** Texts that may be a key, an address or a path, whatever their setting is called. */
const sensitiveText = /[-_.:@/]|^.{21}/;

const wanted: Readonly<Record<string, { words: string; fix: string }>> = {
  boolean: { words: "true or false", fix: "write true or false" },
  string: { words: "text", fix: "put the value in quotes" },
  number: { words: "a number", fix: "write a number, without a unit" },
  int: { words: "a whole number", fix: "write a number without a decimal point" },
  array: { words: "a list", fix: "begin each item with a dash on a line of its own, or write [one, two]" },
  object: { words: "a mapping", fix: "indent the settings below it as name: value" },
  record: { words: "a mapping", fix: "indent the settings below it as name: value" },
};

/** The path of an issue, as far as it names keys and indexes. */
export function issuePath(issue: z.core.$ZodIssue): ConfigPath {
  return issue.path.map((step) => (typeof step === "number" ? step : String(step)));
}

/**
 * What an issue of the schema (parsed with `reportInput`) says to the author of the file: what was expected, what
 * `written`, the data as the file has it, holds instead, and the fix. Values that may be secret are described by their
 * type only.
 */
export function describeIssue(issue: z.core.$ZodIssue, written: unknown): string {
  const path = issuePath(issue);
  const value = valueAt(written, path);
  const reference = referencedName(value);
  if (issue.code === "invalid_value") {
    const choices = issue.values.map(String).join(" or ");
    return `expected ${choices}, found ${describeValue(value, path)}. Fix: write ${choices}.`;
  }
  // The texts of all other rules are our own and come with their fix.
  if (issue.code !== "invalid_type") return issue.message;
  const { words, fix } = wanted[issue.expected] ?? { words: issue.expected, fix: "correct the value" };
  const isNested = typeof value === "object" && ["boolean", "string", "number", "int"].includes(issue.expected);
  if (issue.input === undefined && reference !== null) {
    return `is missing, because the environment variable ${reference} has no value. Fix: set ${reference}.`;
  }
  if (issue.input === undefined) return `is missing. Fix: add it, with ${words} as its value.`;
  if (reference !== null) {
    return `expected ${words}, found another type in the environment variable ${reference}. Fix: correct ${reference}.`;
  }
  return `expected ${words}, found ${describeValue(value, path)}. Fix: ${isNested ? "write one value" : fix}.`;
}

function describeValue(value: unknown, path: ConfigPath): string {
  if (Array.isArray(value)) return "a list";
  if (isRecord(value)) return "a mapping";
  const hidden = path.some((step) => sensitiveName.test(String(step)));
  if (typeof value === "string") return hidden || sensitiveText.test(value) ? "text" : `the text "${value}"`;
  if (typeof value === "number") return hidden ? "a number" : `the number ${String(value)}`;
  return typeof value === "boolean" ? `the value ${String(value)}` : "nothing";
}
