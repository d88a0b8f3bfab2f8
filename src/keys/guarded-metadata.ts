import { isDeepStrictEqual } from "node:util";
import { z } from "zod";

/**
 * What LiteLLM keeps in free-form metadata although it constrains calls. Those whom it constrains leave it as it is.
 * Every other name is theirs; `key-privacy.ts` decides about `logging` and what steers it.
 */
const guardedNames = [
  "guardrails",
  "disable_global_guardrails",
  "disable_global_guardrail",
  "policies",
  "enforced_params",
  "model_max_budget",
  "model_rpm_limit",
  "model_tpm_limit",
  "rpm_limit_type",
  "tpm_limit_type",
  "max_parallel_requests",
  "throttle_on_budget_exceeded",
  "temp_budget_increase",
  "temp_budget_expiry",
  "end_user_budget_id",
  "allowed_passthrough_routes",
  "denied_passthrough_routes",
  "service_account_id",
] as const;

const AnyObject = z.record(z.string(), z.unknown()).catch({});

/** The first guarded name that a write of metadata changes, as the wire's `param`; null if there is none. */
export function findLooserMetadata(given: unknown, held: unknown): string | null {
  // A write of null keeps what is stored.
  if (given === null || given === undefined) return null;
  const [own, bound] = [AnyObject.parse(given), AnyObject.parse(held)];
  const name = guardedNames.find((guarded) => !isDeepStrictEqual(own[guarded] ?? null, bound[guarded] ?? null));
  return name === undefined ? null : `metadata.${name}`;
}
