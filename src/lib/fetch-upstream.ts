import type { Dispatcher } from "undici";
import { closeAgents, connectTimeoutMs as connectTimeoutMsMax, getAgents } from "#lib/fetch-agents.ts";
import { type BodyQueue, makeBodyQueue, type UpstreamBody } from "#lib/fetch-body.ts";
import { describeFailure, type FailureKind, toUpstreamError } from "#lib/fetch-failure.ts";
import { toUrlParts, type UrlParts } from "#lib/fetch-url-parts.ts";

/** One outbound call. Times are limits; an absent one is the default, 0 is none. */
export type FetchOptions = {
  /** Default GET. */
  method?: "GET" | "POST" | "PUT" | "DELETE";
  headers?: Readonly<Record<string, string>> | undefined;
  body?: string | Uint8Array | undefined;
  /** `operator`: written in config.yaml, trusted. `guarded`: every connection passes the address guard. */
  reach: "operator" | "guarded";
  /** Ends the call, before and after the answer's headers; the connection is closed. */
  signal?: AbortSignal | undefined;
  /** Until a connection is ready, waiting for a free one included. Default and at most 10 s for making one. */
  connectTimeoutMs?: number | undefined;
  /** From the request sent to the answer's headers. Default 60 s. */
  headersTimeoutMs?: number | undefined;
  /** Between two pieces of the answer, while we are reading. Default 60 s. */
  bodyTimeoutMs?: number | undefined;
  /** From the call to the answer's last byte. Default none. */
  totalTimeoutMs?: number | undefined;
};

/** An answer, whatever its status. Names of headers are lower-case; one that came twice is joined by a comma. */
export type UpstreamResponse = { status: number; headers: Record<string, string>; body: UpstreamBody };

type Call = {
  url: UrlParts;
  options: FetchOptions;
  resolve(response: UpstreamResponse): void;
  reject(reason: unknown): void;
  over: boolean;
  controller: Dispatcher.DispatchController | null;
  queue: BodyQueue | null;
  connectTimer: NodeJS.Timeout | null;
  totalTimer: NodeJS.Timeout | null;
  onAbort: (() => void) | null;
};

/**
 * The product's one way out. Resolves with the answer's headers; its body streams. Redirects are answers like any
 * other, nothing is retried, bytes are not decompressed (`accept-encoding: identity` unless given), proxies of the
 * environment are not used. Without an answer it throws `UpstreamError` of status 0, whose `cause` is a `Failure`;
 * ended by `signal`, it throws the signal's reason. The same holds for the body.
 */
export function fetchUpstream(url: string, options: FetchOptions): Promise<UpstreamResponse> {
  return new Promise((resolve, reject) => {
    options.signal?.throwIfAborted();
    const call: Call = {
      url: toUrlParts(url),
      options,
      resolve,
      reject,
      over: false,
      controller: null,
      queue: null,
      connectTimer: null,
      totalTimer: null,
      onAbort: null,
    };
    watch(call);
    try {
      getAgents()[options.reach].dispatch(toRequest(call), makeHandler(call));
    } catch (error) {
      // A request that cannot be made leaves no timer and no listener behind.
      fail(call, error);
    }
    if (!call.controller && !call.over) startConnectTimer(call);
  });
}

/** The whole body; throws `UpstreamError` and closes the connection where it is larger than `bytesMax`. */
export async function readBody(response: UpstreamResponse, bytesMax: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response.body) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw toUpstreamError("too_large", "the remote party", String(bytesMax));
    chunks.push(chunk);
  }
  const [only] = chunks;
  return only && chunks.length === 1 ? only : Buffer.concat(chunks, bytes);
}

/** At most the first `bytesMax` bytes of the body; closes the connection where there are more. */
export async function readStart(response: UpstreamResponse, bytesMax: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response.body) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= bytesMax) break;
  }
  return Buffer.concat(chunks).subarray(0, bytesMax);
}

/** `readBody` as UTF-8 text. */
export async function readText(response: UpstreamResponse, bytesMax: number): Promise<string> {
  return (await readBody(response, bytesMax)).toString("utf8");
}

/** Closes all outbound connections, for the end of the process and for tests. What is underway fails. */
export function closeUpstreams(): Promise<void> {
  return closeAgents();
}

function toRequest({ url, options }: Call): Dispatcher.DispatchOptions {
  return {
    origin: url.origin,
    path: url.path,
    method: options.method ?? "GET",
    headers: toHeaders(options.headers),
    body: options.body ?? null,
    headersTimeout: options.headersTimeoutMs ?? 60_000,
    bodyTimeout: options.bodyTimeoutMs ?? 60_000,
  };
}

function makeHandler(call: Call): Dispatcher.DispatchHandler {
  return {
    onRequestStart(controller) {
      call.controller = controller;
      clearConnectTimer(call);
      // A call that ended while it waited cannot be taken out of the agent's queue before this.
      if (call.over) controller.abort(new Error("The call is over."));
    },
    onResponseStart(controller, status, headers) {
      if (status < 200 || call.over) return;
      call.queue = makeBodyQueue({
        pause: () => {
          controller.pause();
        },
        resume: () => {
          controller.resume();
        },
        stop: () => {
          finish(call);
          controller.abort(new Error("The reader is done."));
        },
      });
      call.resolve({ status, headers: toPlainHeaders(headers), body: call.queue.body });
    },
    onResponseData(_controller, chunk) {
      call.queue?.push(chunk);
    },
    onResponseEnd() {
      finish(call);
      call.queue?.end();
    },
    onResponseError(_controller, error) {
      if (!call.over) fail(call, describeFailure(error, call.url.host, call.controller !== null));
    },
  };
}

/** Listens only to what the call asks for: the hot path often has neither. */
function watch(call: Call): void {
  const { signal, totalTimeoutMs } = call.options;
  if (signal) {
    call.onAbort = () => {
      fail(call, signal.reason);
    };
    signal.addEventListener("abort", call.onAbort, { once: true });
  }
  if (totalTimeoutMs) call.totalTimer = setTimeout(timeOut, totalTimeoutMs, call, "timeout_total");
}

function startConnectTimer(call: Call): void {
  const timeoutMs = call.options.connectTimeoutMs ?? connectTimeoutMsMax;
  if (timeoutMs) call.connectTimer = setTimeout(timeOut, timeoutMs, call, "timeout_connect");
}

function clearConnectTimer(call: Call): void {
  if (call.connectTimer) clearTimeout(call.connectTimer);
  call.connectTimer = null;
}

function timeOut(call: Call, kind: FailureKind): void {
  fail(call, toUpstreamError(kind, call.url.host, "ETIMEDOUT"));
}

function fail(call: Call, reason: unknown): void {
  if (call.over) return;
  finish(call);
  if (call.queue) call.queue.fail(reason);
  else call.reject(reason);
  call.controller?.abort(new Error("The call is over."));
}

function finish(call: Call): void {
  call.over = true;
  clearConnectTimer(call);
  if (call.totalTimer) clearTimeout(call.totalTimer);
  if (call.onAbort) call.options.signal?.removeEventListener("abort", call.onAbort);
  call.onAbort = null;
}

/** A flat list, which the client takes as it is. */
function toHeaders(headers: FetchOptions["headers"] = {}): string[] {
  const list: string[] = [];
  let hasEncoding = false;
  for (const name of Object.keys(headers)) {
    const value = headers[name];
    if (value === undefined) continue;
    if (name.length === 15 && name.toLowerCase() === "accept-encoding") hasEncoding = true;
    list.push(name, value);
  }
  if (!hasEncoding) list.push("accept-encoding", "identity");
  return list;
}

function toPlainHeaders(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  const plain: Record<string, string> = {};
  for (const name of Object.keys(headers)) {
    const value = headers[name];
    if (value !== undefined) plain[name] = typeof value === "string" ? value : value.join(", ");
  }
  return plain;
}
