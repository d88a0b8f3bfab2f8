import { route } from "#http/route.ts";
import { listGlobalCallbacks, GlobalCallbacks } from "#logging/list-global-callbacks.ts";

/** The callbacks of config.yaml that are active. */
export const GET = route(
  {
    auth: "key",
    class: "operate",
    describe: { summary: "List the callbacks of config.yaml that are active", tag: "Logs", answer: GlobalCallbacks },
  },
  async () => listGlobalCallbacks(),
);
