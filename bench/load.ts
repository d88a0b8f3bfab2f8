import { Pool } from "undici";
import type { Load } from "./loads.ts";

/** What to send, and how hard. */
export type LoadPlan = {
  url: string;
  headers: Record<string, string>;
  load: Load;
  requests: number;
  concurrency: number;
  /** Names request number i `<prefix><i>` where the answer does not name a call id. */
  callIdPrefix: string;
};

/** What came back. */
export type LoadResult = {
  /** Milliseconds from sending to the last byte, of complete answers. */
  latenciesMs: number[];
  seconds: number;
  /** Call ids that were answered completely. */
  answered: string[];
  /** How many were not, and what the first of them got. */
  failed: number;
  firstFailure: string | null;
};

/** Sends a fixed number of requests, so many at a time, and reads every answer to its end. */
export async function runLoad(plan: LoadPlan): Promise<LoadResult> {
  const pool = new Pool(plan.url, { connections: plan.concurrency, pipelining: 1, headersTimeout: 30_000 });
  const { path, body, ending } = plan.load;
  const result: LoadResult = { latenciesMs: [], seconds: 0, answered: [], failed: 0, firstFailure: null };
  let next = 0;

  async function sendOne(callId: string): Promise<void> {
    const startedMs = performance.now();
    try {
      const response = await pool.request({
        path,
        method: "POST",
        headers: { ...plan.headers, "content-type": "application/json" },
        body,
      });
      const text = await response.body.text();
      if (response.statusCode !== 200 || !text.endsWith(ending)) {
        throw new Error(`${String(response.statusCode)} ${text.slice(0, 300)}`);
      }
      result.latenciesMs.push(performance.now() - startedMs);
      // Clients send no call id; what logs answers with one, by which its record is looked for.
      const given = response.headers["x-litellm-call-id"];
      result.answered.push(typeof given === "string" ? given : callId);
    } catch (error) {
      result.failed += 1;
      result.firstFailure ??= String(error);
    }
  }

  async function work(): Promise<void> {
    while (next < plan.requests) {
      next += 1;
      await sendOne(`${plan.callIdPrefix}${String(next)}`);
    }
  }

  const startedMs = performance.now();
  await Promise.all(Array.from({ length: plan.concurrency }, work));
  result.seconds = (performance.now() - startedMs) / 1000;
  await pool.close();
  return result;
}
