import { z } from "zod";
import { addDuration } from "#lib/duration.ts";
import { AppError } from "#lib/errors.ts";

/** Forms send an empty field as "", and LiteLLM takes numbers as text. */
function readNumber(value: unknown): unknown {
  if (typeof value !== "string") return value;
  const text = value.trim();
  if (text === "") return null;
  return Number.isFinite(Number(text)) ? Number(text) : value;
}

/** A number, its text, or nothing. `type` is what the number must be; a negative one is refused with LiteLLM's 400. */
function limit(type: z.ZodNumber, description: string) {
  const text = z.string().meta({ pattern: "^[0-9]{0,9}$" });
  return z
    .union([type, text, z.null()], { error: "must be a number, or null" })
    .describe(description)
    .transform(readNumber)
    .pipe(type.nullable())
    .optional();
}

/** More than anybody has; the database's numbers end later. */
const moneyMax = 1e15;

const money = limit(z.number().max(moneyMax), "In USD, not negative; null: no limit.");
const count = limit(z.number().int(), "Not negative; null: no limit.");
const smallCount = limit(z.int32(), "Not negative; null: no limit.");

/** The budgets and limits that keys and teams have in common. */
export const limitShape = {
  max_budget: money,
  soft_budget: money,
  budget_duration: z.string().nullish(),
  tpm_limit: count,
  rpm_limit: count,
  max_parallel_requests: smallCount,
};

/** `limitShape` by itself. */
export const LimitFields = z.object(limitShape);
export type LimitFields = z.output<typeof LimitFields>;

/** The columns that the given limits set; what was not given is undefined. Throws 400 for a negative one. */
export function toLimitColumns(fields: LimitFields, now: Date) {
  for (const name of ["max_budget", "soft_budget", "tpm_limit", "rpm_limit", "max_parallel_requests"] as const) {
    const value = fields[name];
    if (typeof value !== "number" || value >= 0) continue;
    throw new AppError("bad_request", `${name} cannot be negative. Received: ${String(value)}`, { param: name });
  }
  const duration = fields.budget_duration === "" ? null : fields.budget_duration;
  return {
    maxBudget: fields.max_budget,
    softBudget: fields.soft_budget,
    budgetDuration: duration,
    budgetResetAt: typeof duration === "string" ? addDuration(now, duration, "budget_duration") : duration,
    tpmLimit: fields.tpm_limit,
    rpmLimit: fields.rpm_limit,
    maxParallelRequests: fields.max_parallel_requests,
  };
}

/** The columns of the limits, as a read selects them. */
export const limitColumns = {
  spend: true,
  maxBudget: true,
  softBudget: true,
  budgetDuration: true,
  budgetResetAt: true,
  tpmLimit: true,
  rpmLimit: true,
  maxParallelRequests: true,
} as const;

/** The limits and the spend of a key or team, as its row on the wire has them; money in USD. */
export const limitRowShape = {
  spend: z.number(),
  max_budget: z.number().nullable(),
  soft_budget: z.number().nullable(),
  budget_duration: z.string().nullable(),
  budget_reset_at: z.string().nullable(),
  tpm_limit: z.number().nullable(),
  rpm_limit: z.number().nullable(),
  max_parallel_requests: z.number().nullable(),
};

/** What the wire's limits are made of. */
type LimitRow = {
  spend: number;
  maxBudget: number | null;
  softBudget: number | null;
  budgetDuration: string | null;
  budgetResetAt: Date | null;
  tpmLimit: bigint | null;
  rpmLimit: bigint | null;
  maxParallelRequests: number | null;
};

/** The limits as the wire has them. */
export function showLimits(row: LimitRow) {
  return {
    spend: row.spend,
    max_budget: row.maxBudget,
    soft_budget: row.softBudget,
    budget_duration: row.budgetDuration,
    budget_reset_at: row.budgetResetAt?.toISOString() ?? null,
    tpm_limit: row.tpmLimit === null ? null : Number(row.tpmLimit),
    rpm_limit: row.rpmLimit === null ? null : Number(row.rpmLimit),
    max_parallel_requests: row.maxParallelRequests,
  };
}
