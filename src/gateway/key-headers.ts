import type { Call } from "#gateway/call.ts";

/** What of a model's name may not stand in the name of a header. */
const unnameable = /[^\w!#$%&'*+.^`|~-]/g;

/**
 * LiteLLM's headers on the caller's key: spend, budget, limits and what is left of them for the asked model, as far as
 * the key has them; and ours, which names whose soft budgets are used up. None for the master key.
 */
export function toKeyHeaders({ start, keySpend, remaining, softExceeded }: Call): Record<string, string> {
  const { keyNumbers } = start.caller;
  const headers: Record<string, string> = {};
  if (keyNumbers === null) return headers;
  const { spend, maxBudget, tokensPerMinute, requestsPerMinute } = keyNumbers;
  headers["x-litellm-key-spend"] = String(keySpend ?? spend);
  if (maxBudget !== null) headers["x-litellm-key-max-budget"] = String(maxBudget);
  if (tokensPerMinute !== null) headers["x-litellm-key-tpm-limit"] = String(tokensPerMinute);
  if (requestsPerMinute !== null) headers["x-litellm-key-rpm-limit"] = String(requestsPerMinute);
  if (remaining !== undefined) {
    const group = (typeof start.body.model === "string" ? start.body.model : "").replace(unnameable, "-");
    for (const kind of ["requests", "tokens"] as const) {
      const left = remaining[kind];
      if (Number.isFinite(left)) headers[`x-litellm-key-remaining-${kind}-${group}`] = String(Math.max(0, left));
    }
  }
  if (softExceeded !== undefined) headers["x-sluice-soft-budget-exceeded"] = softExceeded.join(",");
  return headers;
}
