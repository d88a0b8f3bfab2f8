import { z } from "zod";
import { checkModels, ModelHealth } from "#gateway/check-models.ts";
import { route } from "#http/route.ts";

const Query = z.object({ check: z.enum(["true", "false"]).default("false") });

/** The deployments of the models that the caller may use; `?check=true` calls each once. */
export const GET = route(
  {
    auth: "key",
    class: "read",
    describe: {
      summary: "List the deployments of the models that the caller may use",
      details: "With `check=true`, for administrators, each is called once.",
      tag: "Health",
      answer: ModelHealth,
      refusals: { 403: "Only an administrator may have models called." },
    },
    query: Query,
  },
  ({ caller, query }) => checkModels(caller, query.check === "true"),
);
