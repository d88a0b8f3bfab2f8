import { z } from "zod";
import type { Caller } from "#keys/caller.ts";
import { allowedModels } from "#gateway/choose-deployment.ts";

/** OpenAI's list of models, as LiteLLM fills it. */
export const ModelList = z.object({
  data: z.array(
    z.object({ id: z.string(), object: z.literal("model"), created: z.number().int(), owned_by: z.string() }),
  ),
  object: z.literal("list"),
});
export type ModelList = z.output<typeof ModelList>;

/** The day that LiteLLM names for every model; clients only need a number here. */
const created = 1_677_610_602;

/** The models that a caller may use, in the order of the model list. */
export function listModels(caller: Caller): ModelList {
  const data = allowedModels(caller).map((id) => ({ id, object: "model" as const, created, owned_by: "openai" }));
  return { data, object: "list" };
}
