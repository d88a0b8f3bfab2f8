import { route } from "#http/route.ts";
import { listGlobalCallbacks } from "#logging/list-global-callbacks.ts";

/** The same under LiteLLM's older path and names. */
export const GET = route({ auth: "key" }, async () => {
  const { success, failure, success_and_failure } = listGlobalCallbacks();
  return {
    alerting: null,
    "litellm.callbacks": success_and_failure,
    "litellm.input_callback": [],
    "litellm.success_callback": success,
    "litellm.failure_callback": failure,
    num_callbacks: success.length + failure.length + success_and_failure.length,
  };
});
