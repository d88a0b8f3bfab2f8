import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { addDuration } from "#lib/duration.ts";
import { AppError } from "#lib/errors.ts";
import { readAllowedControls } from "#keys/cache-controls.ts";
import { readModelLimits } from "#keys/call-limits.ts";
import type { KeyRow } from "#keys/key-row.ts";
import type { keyShape } from "#keys/key.ts";
import { readModelBudgets } from "#keys/model-budgets.ts";
import { findLooserMetadata } from "#keys/guarded-metadata.ts";
import { RedactionLevel, stricterLevel } from "#logging/redaction-level.ts";

/** A field of a write, beside what the constraining key has and what else is written. */
type FieldChange = { given: unknown; held: KeyRow; of: Constraint["of"]; input: Readonly<Record<string, unknown>> };

/**
 * Who may write a field of a key, and what "tighter" means for those whom the key constrains.
 * `free`: it constrains nothing. `operator`: proxy administrators alone. `ceiling`: `key-ceilings.ts` compares it.
 * `checked`: `assert-key-change.ts` or `key-privacy.ts` decides. A function: true if what is given is as tight as what is
 * held. `own`: only the key itself is asked. `child`: also the key in use, for every key that it makes or changes.
 */
type FieldRule =
  "free" | "operator" | "ceiling" | "checked" | { holds: "own" | "child"; isTight: (change: FieldChange) => boolean };

/** Every field of the key's schema. A new field is a type error here until somebody decides about it. */
export const keyFieldRules: Readonly<Record<keyof typeof keyShape, FieldRule>> = {
  key_alias: "free",
  // Tags tell calls apart in logs and reports. No limit is read from them.
  tags: "free",
  send_invite_email: "free",
  organization_id: "operator",
  budget_id: "operator",
  permissions: "operator",
  config: "operator",
  object_permission: "operator",
  duration: "ceiling",
  models: "ceiling",
  max_budget: "ceiling",
  tpm_limit: "ceiling",
  rpm_limit: "ceiling",
  max_parallel_requests: "ceiling",
  allowed_routes: "ceiling",
  key_type: "ceiling",
  team_id: "checked",
  user_id: "checked",
  blocked: "checked",
  aliases: { holds: "own", isTight: keepsAliases },
  metadata: { holds: "own", isTight: keepsMetadata },
  redaction: { holds: "own", isTight: keepsRedaction },
  soft_budget: { holds: "child", isTight: ({ given, held }) => isAtMost(given, held.soft_budget) },
  budget_duration: { holds: "child", isTight: resetsNoSooner },
  model_max_budget: { holds: "child", isTight: keepsModelBudgets },
  model_rpm_limit: { holds: "child", isTight: ({ given, held }) => keepsModelLimits(given, held.model_rpm_limit) },
  model_tpm_limit: { holds: "child", isTight: ({ given, held }) => keepsModelLimits(given, held.model_tpm_limit) },
  guardrails: { holds: "child", isTight: ({ given, held }) => keepsEntries(given, held.guardrails) },
  enforced_params: { holds: "child", isTight: ({ given, held }) => keepsEntries(given, held.enforced_params) },
  allowed_cache_controls: { holds: "child", isTight: keepsCacheControls },
  agent_id: { holds: "own", isTight: ({ given, held }) => isUnset(held.agent_id) || isSame(given, held.agent_id) },
  project_id: {
    holds: "own",
    isTight: ({ given, held }) => isUnset(held.project_id) || isSame(given, held.project_id),
  },
  auto_rotate: { holds: "own", isTight: ({ given, held }) => held.auto_rotate !== true || given === true },
  rotation_interval: {
    holds: "own",
    isTight: ({ given, held }) => isUnset(held.rotation_interval) || isSame(given, held.rotation_interval),
  },
};

type KeyField = keyof typeof keyFieldRules;

/** The fields that a new key takes from the key in use if the write leaves them out. */
const inheritedFields = [
  "model_max_budget",
  "model_rpm_limit",
  "model_tpm_limit",
  "guardrails",
  "enforced_params",
  "allowed_cache_controls",
] as const satisfies readonly KeyField[];

/** A key that constrains a write: the one that is changed, if its own user writes, or the one in use. */
export type Constraint = { of: "this key" | "the key that you use"; row: KeyRow };

/** Throws 403, naming the field, if a write loosens what a key constrains. An absent field loosens nothing. */
export function assertTightens(input: Readonly<Record<string, unknown>>, { of, row }: Constraint): void {
  for (const [name, rule] of Object.entries(keyFieldRules)) {
    const given = input[name];
    if (given === undefined || typeof rule === "string") continue;
    if (of === "the key that you use" && rule.holds === "own") continue;
    if (rule.isTight({ given, held: row, of, input })) continue;
    throw new AppError("forbidden", `${name} of ${of} may only be made tighter. Ask an administrator to loosen it.`, {
      param: name === "metadata" ? (findLooserMetadata(given, row.metadata) ?? name) : name,
    });
  }
}

/** A new key's fields, with those that the write leaves out taken from the key in use. */
export function inheritFields<Fields extends Readonly<Record<string, unknown>>>(
  fields: Fields,
  { row }: Constraint,
): Fields {
  const taken = inheritedFields.filter((name) => isUnset(fields[name]) && !isUnset(row[name]));
  return taken.length === 0 ? fields : { ...fields, ...Object.fromEntries(taken.map((name) => [name, row[name]])) };
}

/** The fields of a key that constrain others and are compared as the wire has them. */
export function constraintsOf(row: KeyRow): Record<string, unknown> {
  const names = Object.entries(keyFieldRules).flatMap(([name, rule]) =>
    typeof rule !== "string" && rule.holds === "child" ? [name] : [],
  );
  const shown: Readonly<Record<string, unknown>> = row;
  return Object.fromEntries(names.map((name) => [name, shown[name] ?? null]));
}

/**
 * A longer period is tighter, and none is tightest. On a key without a budget it comes with one: a budget that an
 * administrator sets later would have the period of its owner.
 */
function resetsNoSooner({ given, held, of, input }: FieldChange): boolean {
  if (typeof given !== "string" || given === "") return true;
  if (held.max_budget === null && held.soft_budget === null) {
    return of !== "this key" || typeof input.max_budget === "number" || typeof input.soft_budget === "number";
  }
  return isNoShorter(given, held.budget_duration);
}

/** Whether a period is as long as another one; null never ends. */
function isNoShorter(given: string | null, held: string | null): boolean {
  if (given === null) return true;
  if (held === null) return false;
  const now = new Date();
  try {
    return addDuration(now, given, "budget_duration") >= addDuration(now, held, "budget_duration");
  } catch {
    return false;
  }
}

function isAtMost(given: unknown, held: number | null): boolean {
  return held === null || (typeof given === "number" && given <= held);
}

function keepsModelBudgets({ given, held }: FieldChange): boolean {
  const budgets = readModelBudgets({ model_max_budget: given });
  return readModelBudgets({ model_max_budget: held.model_max_budget }).every((bound) => {
    const own = budgets.find(({ model }) => model === bound.model);
    return (
      own !== undefined && own.maxBudget <= bound.maxBudget && isNoShorter(own.budgetDuration, bound.budgetDuration)
    );
  });
}

function keepsModelLimits(given: unknown, held: unknown): boolean {
  const limits = readModelLimits(given);
  return Object.entries(readModelLimits(held)).every(([model, max]) => {
    const own = Object.hasOwn(limits, model) ? limits[model] : undefined;
    return own !== undefined && own <= max;
  });
}

const Texts = z.array(z.string());

/** What has to be there stays there; more of it is tighter. */
function keepsEntries(given: unknown, held: unknown): boolean {
  if (isUnset(held)) return true;
  const [own, bound] = [Texts.safeParse(given), Texts.safeParse(held)];
  if (!own.success || !bound.success) return isSame(given, held);
  return bound.data.every((entry) => own.data.includes(entry));
}

function keepsCacheControls({ given, held }: FieldChange): boolean {
  const bound = readAllowedControls({ allowed_cache_controls: held.allowed_cache_controls });
  const own = readAllowedControls({ allowed_cache_controls: given });
  return bound.length === 0 || (own.length > 0 && own.every((entry) => bound.includes(entry)));
}

/** An alias stays as it is. A new one names no model that has a limit of its own, which it would evade. */
function keepsAliases({ given, held }: FieldChange): boolean {
  const own = Aliases.parse(given);
  const bound = Aliases.parse(held.aliases);
  const limited = [
    ...Object.keys(readModelLimits(held.model_rpm_limit)),
    ...Object.keys(readModelLimits(held.model_tpm_limit)),
    ...readModelBudgets({ model_max_budget: held.model_max_budget }).map(({ model }) => model),
  ];
  const isKept = Object.entries(bound).every(([name, model]) => Object.hasOwn(own, name) && own[name] === model);
  return isKept && Object.entries(own).every(([name, model]) => Object.hasOwn(bound, name) || !limited.includes(model));
}

const Aliases = z.record(z.string(), z.string()).catch({});

const RedactionOptOut = z.looseObject({ allow_client_message_redaction_opt_out: z.literal(true) });

/** Whoever uses the key could lift its redaction in every request if its owner may switch this on. */
function keepsMetadata({ given, held }: FieldChange): boolean {
  if (findLooserMetadata(given, held.metadata) !== null) return false;
  return !RedactionOptOut.safeParse(given).success || RedactionOptOut.safeParse(held.metadata).success;
}

/** In a team `key-privacy.ts` also asks what holds without the key. */
function keepsRedaction({ given, held }: FieldChange): boolean {
  if (held.redaction === null || held.team_id !== null) return true;
  const own = RedactionLevel.safeParse(given);
  return own.success && stricterLevel(own.data, held.redaction) === own.data;
}

/** Null, false and empty values set nothing. */
export function isUnset(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === "") return true;
  return typeof value === "object" && Object.keys(value).length === 0;
}

function isSame(given: unknown, held: unknown): boolean {
  return isDeepStrictEqual(given, held);
}
