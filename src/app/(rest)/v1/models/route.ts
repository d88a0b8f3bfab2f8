import { listModels, ModelList } from "#gateway/list-models.ts";
import { route } from "#http/route.ts";

/** The models that the calling key may use. */
export const GET = route(
  {
    auth: "llm",
    class: "model_list",
    describe: { summary: "List the models that the calling key may use", tag: "Calls", answer: ModelList },
  },
  async ({ caller }) => listModels(caller),
);
