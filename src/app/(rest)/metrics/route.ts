import { limitsMetric } from "#gateway/limits/redis-limiter.ts";
import { route } from "#http/route.ts";
import { readMetrics } from "#logging/delivery-metrics.ts";
import { z } from "zod";

/** The queue's figures in Prometheus' text format. */
export const GET = route(
  {
    auth: "key",
    class: "operate",
    describe: {
      summary: "Read the figures of queue and delivery",
      tag: "Operations",
      answer: z.string(),
      contentType: "text/plain; version=0.0.4; charset=utf-8",
      details: "In Prometheus' text format.",
    },
  },
  async ({ db }) => {
    const headers = { "content-type": "text/plain; version=0.0.4; charset=utf-8", "cache-control": "no-store" };
    return new Response((await readMetrics(db)) + limitsMetric(), { headers });
  },
);
