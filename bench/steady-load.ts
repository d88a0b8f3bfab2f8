import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { Pool } from "undici";
import type { Load } from "./loads.ts";

/** What to send, how often and for how long. */
export type SteadyPlan = {
  url: string;
  headers: Record<string, string>;
  load: Load;
  ratePerSecond: number;
  seconds: number;
};

/** What came back. */
export type SteadyResult = {
  /** Milliseconds from sending to the first bytes of the body, of complete answers, without those of the lead-in. */
  firstTokenMs: number[];
  /** The same to the last byte. */
  answerMs: number[];
  /** How many requests were sent, and how long that took, the lead-in included. */
  sent: number;
  seconds: number;
  /** Call ids of all complete answers, as far as answers name them. */
  answered: string[];
  failed: number;
  firstFailure: string | null;
};

/** Connections are opened and caches are warm again after this long. */
const leadInSeconds = 1;
const connectionsMax = 512;
const patienceMs = 30_000;
/** So much of an answer's end is kept. All of every answer kept V8 collecting for milliseconds, which were measured too. */
const keptCharacters = 300;

// Objects that V8 makes old at once are collected in the same long pauses.
setFlagsFromString("--no-allocation-site-pretenuring");

/**
 * Sends requests at a fixed rate, whether or not those before are answered (an open loop: a system that is slow does not
 * get fewer of them), for a lead-in of a second and then for as long as it is told, and reads every answer to its end.
 */
export async function runSteadyLoad({ url, headers, load, ratePerSecond, seconds }: SteadyPlan): Promise<SteadyResult> {
  const timeouts = { headersTimeout: patienceMs, bodyTimeout: patienceMs };
  const pool = new Pool(url, { connections: connectionsMax, pipelining: 1, ...timeouts });
  const counted = Math.round(ratePerSecond * leadInSeconds);
  const total = counted + Math.round(ratePerSecond * seconds);
  const result: SteadyResult = {
    ...{ firstTokenMs: [], answerMs: [], answered: [], sent: total, seconds: 0, failed: 0, firstFailure: null },
  };
  const under: Promise<void>[] = [];
  const startedMs = performance.now();
  while (under.length < total) {
    const due = Math.min(total, Math.floor(((performance.now() - startedMs) / 1000) * ratePerSecond) + 1);
    while (under.length < due) {
      const isCounted = under.length >= counted;
      under.push(sendOne(pool, { headers, load }).then((answer) => note(result, answer, isCounted)));
    }
    await sleep(1);
  }
  await Promise.all(under);
  result.seconds = (performance.now() - startedMs) / 1000;
  await pool.close();
  return result;
}

type Answer = { firstTokenMs: number; answerMs: number; callId: string | null } | { failure: string };

function note(result: SteadyResult, answer: Answer, isCounted: boolean): void {
  if ("failure" in answer) {
    result.failed += 1;
    result.firstFailure ??= answer.failure;
    return;
  }
  if (isCounted) {
    result.firstTokenMs.push(answer.firstTokenMs);
    result.answerMs.push(answer.answerMs);
  }
  if (answer.callId !== null) result.answered.push(answer.callId);
}

/** One request; the parser's own callbacks tell when the first bytes were there. */
function sendOne(pool: Pool, { headers, load }: Pick<SteadyPlan, "headers" | "load">): Promise<Answer> {
  return new Promise((resolve) => {
    const sentMs = performance.now();
    let firstTokenMs = 0;
    let end = "";
    let status = 0;
    let callId: string | null = null;
    pool.dispatch(
      { path: load.path, method: "POST", headers: { ...headers, "content-type": "application/json" }, body: load.body },
      {
        onRequestStart() {
          // Undici requires it.
        },
        onResponseStart(_controller, statusCode, answered) {
          status = statusCode;
          const given = answered["x-litellm-call-id"];
          callId = typeof given === "string" ? given : null;
        },
        onResponseData(_controller, chunk) {
          if (firstTokenMs === 0) firstTokenMs = performance.now() - sentMs;
          end = `${end}${chunk.toString("latin1", Math.max(0, chunk.length - keptCharacters))}`.slice(-keptCharacters);
        },
        onResponseEnd() {
          const answerMs = performance.now() - sentMs;
          if (status === 200 && end.endsWith(load.ending)) resolve({ firstTokenMs, answerMs, callId });
          else resolve({ failure: `${String(status)} ${end}` });
        },
        onResponseError(_controller, error) {
          resolve({ failure: String(error) });
        },
      },
    );
  });
}
