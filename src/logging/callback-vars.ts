import { z } from "zod";
import { isSealedText, type Keyring } from "#lib/seal.ts";
import { secretMask, type CallbackVars } from "#logging/callback.ts";
import { findDestination } from "#logging/destinations/index.ts";

/** Whose variables they are: what seals and opens them is bound to this. */
export type VarsOwner = { callbackId: string; callbackName: string; scope: string };

const Meta = z.object({ secret: z.boolean().optional() });
const sensitiveName = /(^|_)(key|secret|token|password|credential|credentials|auth|headers|service_account)(_|$)/i;

/** True for a variable whose value no answer shows: marked so by its destination, or named like a secret. */
export function isSecretVar(callbackName: string, varName: string): boolean {
  const field: unknown = findDestination(callbackName)?.vars.shape[varName];
  if (field instanceof z.ZodType) {
    const meta = Meta.safeParse(field.meta() ?? {});
    if (meta.success && meta.data.secret !== undefined) return meta.data.secret;
  }
  return sensitiveName.test(varName);
}

/**
 * Names where records go: the values of the variables that choose the target. Secrets are sealed for this target, so
 * they cannot be opened for another one.
 */
export function targetOf(callbackName: string, vars: CallbackVars): string {
  const names = findDestination(callbackName)?.targetVars ?? [];
  return JSON.stringify(names.map((name) => vars[name] ?? null).map((value) => (value === "" ? null : value)));
}

/** Seals the secret variables; the others stay readable. What is sealed already is left alone. */
export function sealVars(keyring: Keyring, owner: VarsOwner, vars: CallbackVars): CallbackVars {
  const target = targetOf(owner.callbackName, vars);
  return mapVars(vars, (name, value) => {
    if (value === null || !isSecretVar(owner.callbackName, name)) return value;
    if (typeof value === "string" && isSealedText(value)) return value;
    return keyring.sealText(JSON.stringify(value), place(owner, name, target));
  });
}

/** Opens what `sealVars` sealed. Throws where a value was sealed for another callback, field or target. */
export function openVars(keyring: Keyring, owner: VarsOwner, vars: CallbackVars): CallbackVars {
  const target = targetOf(owner.callbackName, vars);
  return mapVars(vars, (name, value) => {
    if (typeof value !== "string" || !isSealedText(value)) return value;
    const opened: unknown = JSON.parse(keyring.openText(value, place(owner, name, target)));
    return z.union([z.string(), z.number(), z.boolean(), z.array(z.string())]).parse(opened);
  });
}

/** The variables as every answer shows them: secret ones as the mask. */
export function maskVars(callbackName: string, vars: CallbackVars): CallbackVars {
  return mapVars(vars, (name, value) => (value !== null && isSecretVar(callbackName, name) ? secretMask : value));
}

function place(owner: VarsOwner, name: string, target: string): { purpose: string; scope: string; binding: string } {
  return { purpose: "callback_vars", scope: owner.scope, binding: `${owner.callbackId}:${name}:${target}` };
}

function mapVars(
  vars: CallbackVars,
  change: (name: string, value: CallbackVars[string]) => CallbackVars[string],
): CallbackVars {
  return Object.fromEntries(Object.entries(vars).map(([name, value]) => [name, change(name, value)]));
}
