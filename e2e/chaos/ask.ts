import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Call, Ledger, Outcome } from "./ledger.ts";

/** One call of a client, as a client makes it: it keeps what it saw and knows nothing of the gateway's inside. */

/** The wires, each whole or streamed. */
export const wires = ["chat", "messages", "responses", "embeddings"] as const;
export type Wire = (typeof wires)[number];

/** What the client does, beside asking. */
export type Manners = {
  /** Goes away after so many milliseconds. */
  leavesAfterMs?: number;
  /** Goes away once so many pieces of a stream have arrived. */
  leavesAfterPieces?: number;
  /** Waits before it reads each next piece. */
  readPauseMs?: number;
};

export type Ask = {
  url: string;
  gateway: number;
  apiKey: string;
  /** Names of the key and its team in this run. */
  key: string;
  team: string | null;
  wire: Wire;
  isStreamed: boolean;
  /** What the upstream is told to do, `[[slow]]` for example. */
  order: string;
  words: string;
  manners: Manners;
};

/** A call that goes on. `started` resolves with the status once the headers are there (0: there are none). */
export type Asking = { started: Promise<number>; ended: Promise<Call> };

const errorCharactersMax = 200;
const runMark = randomUUID().slice(0, 6);
let asked = 0;

/** How the last frame of each wire looks. A stream without it did not end. */
const lastFrames: Record<Wire, RegExp> = {
  chat: /^data: \[DONE\]$/m,
  messages: /^event: message_stop$/m,
  responses: /^event: response\.completed$/m,
  embeddings: /$/,
};
const errorFrame = /^(event: error|data: \{"(type":"error|error"))/m;

/** Starts a call. It is in the ledger once it has ended. */
export function ask(ledger: Ledger, asking: Ask): Asking {
  asked += 1;
  const call: Call = {
    callId: randomUUID(),
    mark: `mark-${runMark}-${String(asked)}`,
    kind: `${asking.wire}${asking.isStreamed ? " streamed" : ""} ${asking.order} ${JSON.stringify(asking.manners)}`,
    ...{ gateway: asking.gateway, key: asking.key, team: asking.team },
    ...{ startedAtMs: ledger.nowMs(), endedAtMs: 0, outcome: "broken", status: 0 },
    ...{ receipt: null, recordId: null, costUsd: null, error: "", isWhole: true },
  };
  const { promise: started, resolve: start } = Promise.withResolvers<number>();
  const ended = run(call, asking, start).then((outcome) => {
    call.outcome = outcome;
    call.endedAtMs = ledger.nowMs();
    ledger.calls.push(call);
    start(0);
    return call;
  });
  return { started, ended };
}

async function run(call: Call, asking: Ask, start: (status: number) => void): Promise<Outcome> {
  const controller = new AbortController();
  const { leavesAfterMs } = asking.manners;
  const leaving = leavesAfterMs === undefined ? undefined : setTimeout(() => controller.abort(), leavesAfterMs);
  try {
    const { path, body } = toRequest(call.mark, asking);
    const response = await fetch(`${asking.url}${path}`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${asking.apiKey}`,
        "content-type": "application/json",
        "x-litellm-call-id": call.callId,
      },
      body: JSON.stringify(body),
      signal: controller.signal,
    });
    readHeaders(call, response);
    start(response.status);
    const text = await readBody(response, asking.manners, controller);
    return judge(call, asking, { text, isStream: isEventStream(response) });
  } catch {
    return controller.signal.aborted ? "left" : "broken";
  } finally {
    clearTimeout(leaving);
  }
}

function readHeaders(call: Call, response: Response): void {
  call.status = response.status;
  call.receipt = response.headers.get("x-sluice-log");
  call.recordId = /\bid=([0-9a-f-]+)/.exec(call.receipt ?? "")?.[1] ?? null;
  const cost = response.headers.get("x-litellm-response-cost");
  call.costUsd = cost === null ? null : Number(cost);
}

/** Reads to the end, at the client's pace. What a client that leaves has read is of no use to it. */
async function readBody(response: Response, manners: Manners, controller: AbortController): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let pieces = 0;
  for await (const piece of response.body ?? []) {
    text += decoder.decode(piece, { stream: true });
    pieces += 1;
    if (pieces === manners.leavesAfterPieces) {
      controller.abort();
      controller.signal.throwIfAborted();
    }
    if (manners.readPauseMs !== undefined) await sleep(manners.readPauseMs);
  }
  return text;
}

function judge(call: Call, { wire }: Ask, { text, isStream }: { text: string; isStream: boolean }): Outcome {
  if (call.status !== 200) call.error = text.slice(0, errorCharactersMax);
  if (isStream && !lastFrames[wire].test(text)) return errorFrame.test(text) ? "cut" : "broken";
  // A failed call may say anything; an embedding repeats nothing.
  call.isWhole = call.status !== 200 || wire === "embeddings" || text.includes(`${call.mark}.end`);
  return "answered";
}

function isEventStream(response: Response): boolean {
  return response.headers.get("content-type")?.startsWith("text/event-stream") === true;
}

function toRequest(mark: string, { wire, isStreamed, order, words }: Ask): { path: string; body: object } {
  const prompt = `${order} ${mark} ${words} ${mark}.end`;
  const stream = isStreamed ? { stream: true } : {};
  const messages = [{ role: "user", content: prompt }];
  switch (wire) {
    case "chat":
      return { path: "/v1/chat/completions", body: { model: "fake-model", messages, ...stream } };
    case "messages":
      return { path: "/v1/messages", body: { model: "claude-fake", max_tokens: 200, messages, ...stream } };
    case "responses":
      return { path: "/v1/responses", body: { model: "fake-model", input: prompt, ...stream } };
    case "embeddings":
      return { path: "/v1/embeddings", body: { model: "fake-model", input: prompt } };
  }
}
