import { z } from "zod";
import { configState } from "#lib/config.ts";
import { asksForSomething } from "#lib/config-controls.ts";
import { AppError } from "#lib/errors.ts";

/** Fields of keys, teams and users that protect something in LiteLLM, and that this version does not act on. */
const controlNames = ["guardrails", "enforced_params"] as const;

/**
 * A field that protects something and is not acted on: empty values pass, and others are refused unless
 * `general_settings.ignored_controls` lists the field.
 */
export function controlField(name: (typeof controlNames)[number]) {
  return z
    .json()
    .optional()
    .refine((value) => !isIgnored(name, value), { error: refusalOf(name) });
}

/** Throws 400 for such a field in the metadata of a write. */
export function assertNoIgnoredControls(metadata: Readonly<Record<string, unknown>>): void {
  const name = controlNames.find((known) => isIgnored(known, metadata[known]));
  if (name !== undefined) throw new AppError("bad_request", refusalOf(name), { param: `metadata.${name}` });
}

function isIgnored(name: string, value: unknown): boolean {
  return asksForSomething(value) && !configState.get().general_settings.ignored_controls.includes(name);
}

function refusalOf(name: string): string {
  return `${name} protects something, and this version does not act on it. Leave it out, or list it in general_settings.ignored_controls.`;
}
