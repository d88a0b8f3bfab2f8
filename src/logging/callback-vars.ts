import { z } from "zod";
import { isSealedText, type Keyring, type SealPlace } from "#lib/seal.ts";
import { CallbackVar, secretMask, type CallbackVars } from "#logging/callback.ts";
import { findDestination } from "#logging/destinations/index.ts";
import { toSecretHint } from "#logging/secret-hint.ts";

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
  return mapVars(vars, (name, value) => openVar(keyring, value, place(owner, name, target)));
}

/** The variables as rows show them: of secret ones what `toSecretHint` says, the mask where they open no more. */
export function hintVars(keyring: Keyring, owner: VarsOwner, vars: CallbackVars): CallbackVars {
  const target = targetOf(owner.callbackName, vars);
  return mapVars(vars, (name, value) => {
    if (value === null || !isSecretVar(owner.callbackName, name)) return value;
    try {
      return toSecretHint(keyring, openVar(keyring, value, place(owner, name, target)));
    } catch {
      return secretMask;
    }
  });
}

/** The variables with secret ones as the mask. */
export function maskVars(callbackName: string, vars: CallbackVars): CallbackVars {
  return mapVars(vars, (name, value) => (value !== null && isSecretVar(callbackName, name) ? secretMask : value));
}

function openVar(keyring: Keyring, value: CallbackVar, at: SealPlace): CallbackVar {
  if (typeof value !== "string" || !isSealedText(value)) return value;
  return CallbackVar.parse(JSON.parse(keyring.openText(value, at)));
}

/** Where the sealed value of a variable belongs, beside these other variables. */
export function placeOfVar(owner: VarsOwner, name: string, vars: CallbackVars): SealPlace {
  return place(owner, name, targetOf(owner.callbackName, vars));
}

function place(owner: VarsOwner, name: string, target: string): SealPlace {
  return { purpose: "callback_vars", scope: owner.scope, binding: `${owner.callbackId}:${name}:${target}` };
}

function mapVars(vars: CallbackVars, change: (name: string, value: CallbackVar) => CallbackVar): CallbackVars {
  return Object.fromEntries(Object.entries(vars).map(([name, value]) => [name, change(name, value)]));
}
