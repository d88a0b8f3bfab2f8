import { z } from "zod";
import { mountedRoutesState } from "#http/mounted-routes.ts";
import { makeOpenApi } from "#http/open-api.ts";
import { route } from "#http/route.ts";

const Answer = z.looseObject({ openapi: z.literal("3.1.0") });

/** This interface as an OpenAPI document, made of the schemas that check what comes in. */
export const GET = route(
  { auth: "none", class: "open", describe: { summary: "Read this description", tag: "Operations", answer: Answer } },
  async () => makeOpenApi(mountedRoutesState.find() ?? []),
);
