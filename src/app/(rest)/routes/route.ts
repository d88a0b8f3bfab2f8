import { mountedRoutesState, ShownRoute, showRoutes } from "#http/mounted-routes.ts";
import { route } from "#http/route.ts";
import { z } from "zod";

/** Every route of the wire with its methods, and who may call each. */
export const GET = route(
  {
    auth: "key",
    class: "operate",
    describe: {
      summary: "List every route with its methods, and who may call each",
      tag: "Operations",
      answer: z.object({ routes: z.array(ShownRoute) }),
    },
  },
  async () => ({ routes: showRoutes(mountedRoutesState.find() ?? []) }),
);
