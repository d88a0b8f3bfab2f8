import { route } from "#http/route.ts";
import { checkKey, KeyHealth } from "#keys/check-key.ts";

/** Checks the destinations of the calling key. The body is ignored, as LiteLLM does. */
export const POST = route(
  {
    auth: "key",
    class: "read",
    describe: {
      summary: "Check the destinations of the calling key",
      details:
        "Asks the destination of each callback of the key's own, all at once, within 5 seconds. Nothing is logged by it. The status is 200 for unhealthy destinations too.",
      tag: "Keys",
      answer: KeyHealth,
      answerExample: {
        key: "healthy",
        logging_callbacks: {
          callbacks: ["langfuse"],
          status: "healthy",
          details:
            "No logger exceptions triggered, system is healthy. Manually check if logs were sent to ['langfuse']",
          destinations: [
            {
              callback_name: "langfuse",
              callback_id: "0199b0c2-7d1e-7a1f-9d2a-6f7f3c1e5b10",
              state: "healthy",
              message: "The keys belong to the project search.",
              target: "search",
              latency_ms: 84,
            },
          ],
        },
      },
    },
  },
  ({ db, caller }) => checkKey(db, caller, process.env),
);
