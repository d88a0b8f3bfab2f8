import { z } from "zod";
import type { Caller } from "#keys/caller.ts";
import { AppError } from "#lib/errors.ts";
import { allowedModels } from "#gateway/choose-deployment.ts";

/** A model as OpenAI's API shows it. */
export const ShownModel = z.object({
  id: z.string(),
  object: z.literal("model"),
  created: z.number().int(),
  owned_by: z.string(),
});
export type ShownModel = z.output<typeof ShownModel>;

/** OpenAI's list of models, as LiteLLM fills it. */
export const ModelList = z.object({ data: z.array(ShownModel), object: z.literal("list") });
export type ModelList = z.output<typeof ModelList>;

/** The day that LiteLLM names for every model; clients only need a number here. */
const created = 1_677_610_602;

/** The models that a caller may use, in the order of the model list. */
export function listModels(caller: Caller): ModelList {
  return { data: allowedModels(caller).map(toShown), object: "list" };
}

/** One model that a caller may use; 404 for every other name, whether it exists or not. */
export function getModel(caller: Caller, id: string): ShownModel {
  if (allowedModels(caller).includes(id)) return toShown(id);
  throw new AppError("not_found", `The model \`${id}\` does not exist or you do not have access to it.`, {
    type: "invalid_request_error",
    param: "model",
  });
}

function toShown(id: string): ShownModel {
  return { id, object: "model", created, owned_by: "openai" };
}
