import { route } from "#http/route.ts";
import { listGlobalCallbacks } from "#logging/list-global-callbacks.ts";
import { z } from "zod";

const Answer = z.object({
  alerting: z.null(),
  "litellm.callbacks": z.array(z.string()),
  "litellm.input_callback": z.array(z.string()),
  "litellm.success_callback": z.array(z.string()),
  "litellm.failure_callback": z.array(z.string()),
  num_callbacks: z.number().int(),
});

/** The same under LiteLLM's older path and names. */
export const GET = route(
  {
    auth: "key",
    class: "operate",
    describe: { summary: "List the callbacks of config.yaml under LiteLLM's older names", tag: "Logs", answer: Answer },
  },
  async () => {
    const { success, failure, success_and_failure } = listGlobalCallbacks();
    return {
      alerting: null,
      "litellm.callbacks": success_and_failure,
      "litellm.input_callback": [],
      "litellm.success_callback": success,
      "litellm.failure_callback": failure,
      num_callbacks: success.length + failure.length + success_and_failure.length,
    };
  },
);
