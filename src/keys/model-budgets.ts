import { z } from "zod";
import { addDuration } from "#lib/duration.ts";
import { AppError } from "#lib/errors.ts";

/** What one model may cost; LiteLLM has two names for either field. */
const ModelBudget = z.looseObject({
  max_budget: z.coerce.number().min(0).optional(),
  budget_limit: z.coerce.number().min(0).optional(),
  budget_duration: z.string().nullish(),
  time_period: z.string().nullish(),
});

const duration = z.string().refine(isDuration, "must be a number and s, m, h, d, w or mo, such as 30d").nullish();
const money = z.union([z.number().min(0), z.string().regex(/^\d{1,12}(\.\d{1,12})?$/)]).optional();

/** `model_max_budget` of a write: `{"gpt-4o": {"max_budget": 5, "budget_duration": "30d"}}`, in USD. */
export const ModelMaxBudget = z
  .record(
    z.string(),
    z.looseObject({ max_budget: money, budget_limit: money, budget_duration: duration, time_period: duration }),
  )
  .nullish()
  .describe("Budgets of single models, by their public names, in USD.");

/** `team_member_budget` of a write, in USD, and `team_member_budget_duration`: when it begins anew. */
export const memberBudgetShape = { team_member_budget: money.nullable(), team_member_budget_duration: duration };

/** What a model may cost, and how often that begins anew; null: never. */
export type BudgetOfModel = { model: string; maxBudget: number; budgetDuration: string | null };

/** The budgets of single models that a row sets; what cannot be read sets none. */
export function readModelBudgets(extras: unknown): BudgetOfModel[] {
  const { model_max_budget: byModel } = Extras.parse(extras ?? {});
  return Object.entries(byModel).flatMap(([model, said]) => {
    const parsed = ModelBudget.safeParse(said);
    const maxBudget = parsed.data?.max_budget ?? parsed.data?.budget_limit;
    if (!parsed.success || maxBudget === undefined) return [];
    const given = parsed.data.budget_duration ?? parsed.data.time_period ?? null;
    return [{ model, maxBudget, budgetDuration: given !== null && isDuration(given) ? given : null }];
  });
}

const Extras = z
  .object({ model_max_budget: z.record(z.string(), z.unknown()).catch({}) })
  .catch({ model_max_budget: {} });

/** What a team says of the budget of each of its members; null where it sets none, or none that begins anew. */
export function readMemberBudget(extras: unknown): { maxBudget: number | null; budgetDuration: string | null } {
  const { team_member_budget: maxBudget, team_member_budget_duration: given } = MemberExtras.parse(extras ?? {});
  return { maxBudget, budgetDuration: given !== null && isDuration(given) ? given : null };
}

const MemberExtras = z
  .object({
    team_member_budget: z.coerce.number().min(0).nullable().catch(null),
    team_member_budget_duration: z.string().nullable().catch(null),
  })
  .catch({ team_member_budget: null, team_member_budget_duration: null });

function isDuration(text: string): boolean {
  try {
    addDuration(new Date(), text, "budget_duration");
    return true;
  } catch (error) {
    if (error instanceof AppError) return false;
    throw error;
  }
}
