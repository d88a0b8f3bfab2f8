import { z } from "zod";
import { checkModels } from "#gateway/check-models.ts";
import { route } from "#http/route.ts";

const Query = z.object({ check: z.enum(["true", "false"]).default("false") });

/** The deployments of the models that the caller may use; `?check=true` calls each once. */
export const GET = route({ auth: "key", query: Query }, ({ caller, query }) =>
  checkModels(caller, query.check === "true"),
);
