import { getModel, ShownModel } from "#gateway/list-models.ts";
import { route } from "#http/route.ts";

/** One model, if the calling key may use it. */
export const GET = route(
  {
    auth: "llm",
    class: "model_list",
    describe: {
      summary: "Show one model that the calling key may use",
      tag: "Calls",
      answer: ShownModel,
      params: { model: { description: "The model's public name.", example: "gpt-4o" } },
      refusals: { 404: "There is no such model, or the key may not use it." },
    },
  },
  async ({ caller, params }) => getModel(caller, params.model ?? ""),
);
