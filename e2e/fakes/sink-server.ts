import type { IncomingHttpHeaders } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { gunzipSync } from "node:zlib";
import { readBody, sendText, startFakeServer } from "./fake-server.ts";

/** The frame that the fakes of simple destinations share: it keeps requests and misbehaves when told to. */

/** How a fake misbehaves. What is absent is normal. */
export type SinkBehaviour = {
  /** Only for so many requests, then normal again. */
  times?: number;
  /** The request is handled and stored, but the connection is destroyed instead of an answer. */
  loseAnswer?: boolean;
  /** There is no answer. */
  hang?: boolean;
  /** This is answered, and nothing is stored. */
  status?: number;
  headers?: Record<string, string>;
  body?: string;
  latencyMs?: number;
};

/** A request as it arrived, its body decompressed. */
export type SinkRequestSeen = {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  text: string;
  /** What was answered; 0 where nothing was. */
  status: number;
};

/** A fake's answer; `body` is sent as JSON. */
export type SinkReply = { status: number; body: unknown };

/** The running frame. */
export type SinkServer = {
  port: number;
  url: string;
  requests: SinkRequestSeen[];
  /** Replaces the behaviour; `{}` is normal. */
  setBehaviour(behaviour: SinkBehaviour): void;
  close(): Promise<void>;
};

/** Starts a server that answers what `answer` says, unless it was told to misbehave. */
export async function startSinkServer(
  answer: (request: SinkRequestSeen) => SinkReply,
  port: number,
): Promise<SinkServer> {
  const requests: SinkRequestSeen[] = [];
  let behaviour: SinkBehaviour = {};
  const take = (): SinkBehaviour => {
    const taken = behaviour;
    if (taken.times === undefined) return taken;
    if (taken.times <= 1) behaviour = {};
    else behaviour = { ...taken, times: taken.times - 1 };
    return taken;
  };
  const server = await startFakeServer(async (request, response) => {
    const body = await readBody(request);
    const isGzip = request.headers["content-encoding"] === "gzip";
    const text = (isGzip ? gunzipSync(body) : body).toString("utf8");
    const { method = "", url = "", headers } = request;
    const seen: SinkRequestSeen = { method, path: url, headers, text, status: 0 };
    requests.push(seen);
    const { latencyMs, hang, status, loseAnswer, ...told } = take();
    if (latencyMs !== undefined) await sleep(latencyMs);
    if (hang) return;
    const reply = status === undefined ? answer(seen) : { status, body: {} };
    if (loseAnswer) return void response.destroy();
    seen.status = reply.status;
    const type = { "content-type": "application/json" };
    sendText(response, {
      status: reply.status,
      body: status === undefined ? JSON.stringify(reply.body) : (told.body ?? "{}"),
      headers: { ...type, ...(status === undefined ? {} : told.headers) },
    });
  }, port);
  return {
    ...server,
    requests,
    setBehaviour: (next) => {
      behaviour = next;
    },
  };
}
