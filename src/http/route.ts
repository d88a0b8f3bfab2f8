import { type z } from "zod";
import { readBearer } from "#http/bearer.ts";
import { toErrorResponse } from "#http/error-response.ts";
import { ignoredFieldsWarning } from "#http/ignored-fields.ts";
import { logRefusedCall } from "#http/log-refused-call.ts";
import { assertStorable, parseBody, parseQuery, readBodyText } from "#http/read-body.ts";
import { assertRouteAllowed } from "#http/route-access.ts";
import type { RouteDescription } from "#http/route-description.ts";
import type { RouteClass } from "#keys/route-classes.ts";
import { withWarning } from "#http/with-warning.ts";
import { strangerCaller, type Caller } from "#keys/caller.ts";
import type { MatchedRoute } from "#keys/route-limits.ts";
import { identifyKey } from "#keys/verify-key.ts";
import { currentDb, type Database } from "#lib/db.ts";
import { AppError } from "#lib/errors.ts";
import { newRecordId } from "#lib/id.ts";
import { toAppError } from "#lib/to-app-error.ts";
import { enterCall, findCut, untilCut, type CallInFlight } from "#logging/calls-in-flight.ts";

/**
 * Who may call. `none`: everybody. `key`: any valid key. `writer`: proxy administrators and internal users, and the use
 * case decides by the object. `admin_viewer`: proxy administrators and their viewers. `admin`: proxy administrators.
 * `llm`: any valid key, in OpenAI's error shapes, and a refusal is logged, because to its owner it is a failed call.
 */
export type RouteAuth = "none" | "key" | "writer" | "admin_viewer" | "admin" | "llm";

/** What a route states. `auth`, `class` and `describe` are required: an endpoint without them is a type error. */
export type RouteOptions<Body extends z.ZodType, Query extends z.ZodType, Answer extends z.ZodType = z.ZodType> = {
  auth: RouteAuth;
  /** What the route is to keys with route limits. */
  class: RouteClass;
  describe: RouteDescription<NoInfer<z.input<Body>>, Answer>;
  body?: Body;
  query?: Query;
  /** `anthropic`: errors in the form of Anthropic's API. */
  errors?: "anthropic" | undefined;
  /** Nothing of the body is stored or looked up: it may hold what a database cannot keep, as the body of a call may. */
  keepsNothing?: boolean;
  /** What the log of a refused call says that it was; a chat where it is absent. */
  callType?: string;
  /** Told of a body that was refused, by whoever logs the call; what it gives is what the client gets. */
  onBadBody?: (error: AppError, call: CallEnvelope) => Promise<AppError>;
};

/** What is known of a call before its body is read. */
export type CallEnvelope = {
  caller: Caller;
  request: Request;
  /** The id of this request: the client's `x-litellm-call-id` or a new one. */
  callId: string;
  /** Whether `callId` is the client's. */
  callIdIsClients: boolean;
  /** The path of the matched route with the values of its parameters, however the request spelled it. */
  path: string;
  /** The call as the stop of the gateway knows it; null for what is no call of a model. */
  inFlight: CallInFlight | null;
};

/** What a handler gets. `body` and `query` are parsed; `params` are decoded path parameters. */
export type RouteContext<Body, Query> = CallEnvelope & {
  db: Database["db"];
  body: Body;
  query: Query;
  params: Record<string, string>;
};

/**
 * What whoever serves a route passes as second argument. `pattern` is the route that was matched, such as
 * `/team/{team_id}/callback`. Without it no path opens the route to a key with route limits, only its class.
 */
export type RouteParams = { params: Promise<Record<string, string>>; pattern?: string };

/** A route handler as both servers call it, with what it states about itself. */
export type Route = ((request: Request, context: RouteParams) => Promise<Response>) & {
  options: RouteOptions<z.ZodType, z.ZodType>;
};

type Handler<Body, Query, Answer> = (context: RouteContext<Body, Query>) => Promise<Response | Answer>;

const callIdPattern = /^[\x21-\x7e]{1,128}$/;

/**
 * Makes a route handler: gives the request an id, finds out who calls, parses body and query, and turns whatever is
 * thrown below into the wire's error. A handler returns a `Response`, or what `describe.answer` says, to be sent as JSON.
 */
export function route<
  Answer extends z.ZodType,
  Body extends z.ZodType = z.ZodUnknown,
  Query extends z.ZodType = z.ZodUnknown,
>(
  options: RouteOptions<Body, Query, Answer>,
  handler: Handler<z.output<Body>, z.output<Query>, z.input<Answer>>,
): Route;
export function route(options: RouteOptions<z.ZodType, z.ZodType>, handler: Handler<unknown, unknown, unknown>): Route {
  async function handle(request: Request, context: RouteParams): Promise<Response> {
    const givenCallId = request.headers.get("x-litellm-call-id");
    const callIdIsClients = givenCallId !== null && callIdPattern.test(givenCallId);
    const callId = callIdIsClients ? givenCallId : newRecordId();
    const { pattern } = context;
    let path = pattern ?? pathOf(request.url);
    const inFlight = options.auth === "llm" ? enterCall(request.signal) : null;
    try {
      const params = await context.params;
      if (pattern !== undefined) path = fillPattern(pattern, params);
      const db = currentDb();
      const matched = { pattern: pattern ?? "", params };
      const caller = await authenticate(db, options, { request, path, callId, matched });
      const isCall = options.auth === "llm";
      const envelope = { caller, request, callId, callIdIsClients, path, inFlight };
      const body = await readRouteBody(options, envelope);
      const warning = options.body && !isCall ? ignoredFieldsWarning(options.body, body) : null;
      const query = options.query ? parseQuery(options.query, request.url) : undefined;
      if (!isCall) assertStorable("path", params);
      const result = await handler({ db, body, query, params, ...envelope });
      return withWarning(result instanceof Response ? result : jsonResponse(result, callId), warning);
    } catch (error) {
      return toErrorResponse(error, { requestId: callId, route: path, form: options.errors });
    } finally {
      inFlight?.leave();
    }
  }
  return Object.assign(handle, { options });
}

async function readRouteBody(
  { auth, body: schema, onBadBody, keepsNothing = false }: RouteOptions<z.ZodType, z.ZodType>,
  call: CallEnvelope,
): Promise<unknown> {
  if (schema === undefined) return undefined;
  try {
    const text = await untilCut(readBodyText(call.request));
    return parseBody(schema, text, { isCall: auth === "llm", keepsNothing });
  } catch (error) {
    const refusal = toAppError(error, call.callId);
    const isCut = findCut(call.inFlight?.signal) !== null;
    if (onBadBody === undefined || (refusal.status >= 500 && !isCut)) throw error;
    throw await onBadBody(refusal, call);
  }
}

/** The answer with a JSON body. */
export function jsonResponse(value: unknown, callId: string): Response {
  return new Response(JSON.stringify(value), {
    headers: { "content-type": "application/json", "cache-control": "no-store", "x-litellm-call-id": callId },
  });
}

async function authenticate(
  db: Database["db"],
  { auth, class: routeClass, callType = "acompletion" }: RouteOptions<z.ZodType, z.ZodType>,
  { matched, ...call }: { request: Request; path: string; callId: string; matched: Omit<MatchedRoute, "class"> },
): Promise<Caller> {
  if (auth === "none") return strangerCaller;
  let caller: Caller | null = null;
  try {
    const identified = await untilCut(identifyKey(db, readBearer(call.request.headers)));
    caller = identified.caller;
    if (identified.refusal !== null) throw identified.refusal;
    assertRouteAllowed(identified.caller, { ...matched, class: routeClass, auth, path: call.path });
    return identified.caller;
  } catch (error) {
    if (auth === "llm" && error instanceof AppError) await logRefusedCall(db, error, { ...call, callType, caller });
    throw error;
  }
}

/** A route's path with the values of its parameters, slashes in them as they are. */
function fillPattern(pattern: string, params: Readonly<Record<string, string>>): string {
  return pattern.replace(/\{(\w+)\}/g, (placeholder, name: string) =>
    encodeURI((Object.hasOwn(params, name) ? params[name] : placeholder)?.toWellFormed() ?? ""),
  );
}

/** The path of a URL, without host and query. */
export function pathOf(url: string): string {
  const start = url.indexOf("/", url.indexOf("//") + 2);
  if (start === -1) return "/";
  const end = url.indexOf("?", start);
  return end === -1 ? url.slice(start) : url.slice(start, end);
}
