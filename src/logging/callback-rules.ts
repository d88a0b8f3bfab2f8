import { createHash } from "node:crypto";
import { z } from "zod";
import type { LogRecord } from "#logging/record.ts";

/** Which calls a callback gets. An empty list lets everything through; all that is given must let a call through. */
export const CallbackRules = z.object({
  samplingRate: z.number().describe("The share of calls, 0 to 1."),
  keepsFailures: z.boolean().describe("Whether failed calls are outside of the sampling."),
  models: z.array(z.string()).readonly().describe("Public or upstream names; a `*` at the end stands for any ending."),
  keys: z.array(z.string()).readonly().describe("Aliases or hashes."),
  statuses: z.array(z.enum(["success", "failure"])).readonly(),
});
export type CallbackRules = z.output<typeof CallbackRules>;

/** What the rules judge a call by. What is not given is not known yet, and lets the call through. */
export type JudgedCall = Pick<LogRecord, "recordId" | "status"> &
  Partial<Pick<LogRecord, "model" | "modelGroup">> & {
    caller?: Pick<LogRecord["caller"], "keyHash" | "keyAlias">;
  };

/** Whether a callback with these rules gets a call; the same answer in every process and at every try. */
export function letsThrough(rules: CallbackRules, call: JudgedCall): boolean {
  if (rules.statuses.length > 0 && !rules.statuses.includes(call.status)) return false;
  const { caller, model, modelGroup } = call;
  if (rules.keys.length > 0 && caller !== undefined && !matchesKey(rules.keys, caller)) return false;
  if (rules.models.length > 0 && model !== undefined) {
    const names = [model, modelGroup ?? model];
    if (!rules.models.some((pattern) => names.some((name) => matchesName(pattern, name)))) return false;
  }
  if (rules.samplingRate >= 1 || (rules.keepsFailures && call.status === "failure")) return true;
  return shareOf(call.recordId) < rules.samplingRate;
}

function matchesKey(keys: readonly string[], { keyHash, keyAlias }: Pick<LogRecord["caller"], "keyHash" | "keyAlias">) {
  return (keyHash !== null && keys.includes(keyHash)) || (keyAlias !== null && keys.includes(keyAlias));
}

function matchesName(pattern: string, name: string): boolean {
  return pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}

/** A number from 0 to below 1 that belongs to a record id; ids that were made together are spread evenly. */
function shareOf(recordId: string): number {
  return createHash("sha256").update(recordId).digest().readUIntBE(0, 6) / 2 ** 48;
}
