import { createServer, ServerResponse, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { stoppingState } from "#http/readiness.ts";
import { sendPieces } from "#http/send-pieces.ts";
import { noteSentHeaders } from "#lib/header-names.ts";
import { findPiecewise } from "#lib/piecewise-response.ts";

/** Answers one request by node's own objects: how Next.js takes over what is not the wire's. */
export type PageHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** A listening server. */
export type Listening = {
  url: string;
  port: number;
  /** Accepts no more connections; resolves when no request is in flight. */
  drain(): Promise<void>;
  /** Ends all connections, whatever is in flight on them. */
  close(): void;
};

/** First path segments that belong to pages, beside the empty path; every other one is the wire's. */
const pageSegments = ["portal", "_next", "favicon.ico", "icon.svg"];
const pageApi = ["/api/auth/"];

/** Serves the wire's routes, and pages for the rest, on one port. */
export async function listen(
  answer: (request: Request) => Response | Promise<Response>,
  pages: PageHandler,
  { host, port }: { host: string; port: number },
): Promise<Listening> {
  const wire = getRequestListener(async (request, { incoming, outgoing }) => {
    noteSentHeaders(request.headers, incoming.rawHeaders);
    const response = await answer(request);
    const piecewise = findPiecewise(response);
    if (piecewise === undefined || !(outgoing instanceof ServerResponse)) return response;
    sendPieces(piecewise, outgoing);
    return RESPONSE_ALREADY_SENT;
  });
  const requests = makeRequests();
  const server = createServer({ keepAliveTimeout: 75_000, requestTimeout: 300_000 }, (request, response) => {
    requests.enter(response);
    // A client that comes again during a drain finds another gateway with its next connection.
    if (stoppingState.find() === true) response.shouldKeepAlive = false;
    // Pages and wire get the same text that decides between them.
    request.url = toRequestPath(request.url ?? "/");
    void (isPage(request.url) ? pages(request, response) : wire(request, response));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  const address = server.address();
  const bound = isAddress(address) ? address.port : port;
  const shown = host === "0.0.0.0" || host === "::" ? "localhost" : host;
  return {
    url: `http://${shown.includes(":") ? `[${shown}]` : shown}:${String(bound)}`,
    port: bound,
    drain: () => drainServer(server, requests.over),
    close: () => {
      server.closeAllConnections();
    },
  };
}

/**
 * Path and query of a request target, without dot segments, backslashes and the host of an absolute target. A target
 * that is no path is the one that nothing answers.
 */
export function toRequestPath(target: string): string {
  const isAbsolute = /^https?:\/\//i.test(target);
  if (!isAbsolute && !target.startsWith("/")) return "/*";
  if (!isAbsolute && !/[\\#]|\/\.|%2e/i.test(target)) return target;
  const url = URL.parse(isAbsolute ? target : `http://localhost${target}`);
  return url === null ? "/*" : url.pathname + url.search;
}

/** True for a path that Next.js answers. */
export function isPage(url: string): boolean {
  const path = url.split("?", 1)[0] ?? "/";
  if (path === "/") return true;
  const [, segment = ""] = path.split("/", 2);
  return pageSegments.includes(segment) || pageApi.some((prefix) => path.startsWith(prefix));
}

/** Counts the requests in flight. */
function makeRequests() {
  const inFlight = new Set<ServerResponse>();
  let waiting: (() => void)[] = [];
  return {
    enter(response: ServerResponse): void {
      inFlight.add(response);
      response.once("close", () => {
        inFlight.delete(response);
        if (inFlight.size > 0) return;
        for (const tell of waiting) tell();
        waiting = [];
      });
    },
    async over(): Promise<void> {
      if (inFlight.size > 0) await new Promise<void>((resolve) => void waiting.push(resolve));
    },
  };
}

const idleCheckMs = 50;

/** A connection is idle only after its last answer, so this is asked again and again. */
async function drainServer(server: Server, over: () => Promise<void>): Promise<void> {
  server.close();
  const idle = setInterval(() => {
    server.closeIdleConnections();
  }, idleCheckMs);
  await over();
  clearInterval(idle);
}

function isAddress(address: AddressInfo | string | null): address is AddressInfo {
  return typeof address === "object" && address !== null;
}
