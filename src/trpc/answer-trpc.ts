import { fetchRequestHandler } from "@trpc/server/adapters/fetch";
import { readBodyText } from "#http/read-body.ts";
import { toErrorResponse } from "#http/error-response.ts";
import { pathOf } from "#http/route.ts";
import { newRecordId } from "#lib/id.ts";
import { createContext } from "#trpc/context.ts";
import { appRouter } from "#trpc/root.ts";
import { toTrpcError } from "#trpc/trpc.ts";
import { AppError } from "#lib/errors.ts";
import { isTooDeep, tooDeepMessage } from "#lib/read-json.ts";

/** The path below which procedures are answered. */
export const trpcEndpoint = "/api/trpc";
const batchSizeMax = 50;

/**
 * Answers tRPC under `/api/trpc/`. A batch is answered call by call, so one that is refused does not spoil the others.
 * Who calls is found out by the context; the procedures say whom they let in.
 */
export async function answerTrpc(request: Request): Promise<Response> {
  const context = { requestId: newRecordId(), route: pathOf(request.url) };
  try {
    const read = await withReadBody(request);
    return await fetchRequestHandler({
      endpoint: trpcEndpoint,
      req: read,
      router: appRouter,
      maxBatchSize: batchSizeMax,
      createContext: ({ req }) =>
        createContext(req).catch((error: unknown) => Promise.reject(toTrpcError(error, context))),
      responseMeta: () => ({ headers: { "cache-control": "no-store" } }),
    });
  } catch (error) {
    return toErrorResponse(error, context);
  }
}

/** The library parses the input itself, and its checks walk it recursively. */
function assertShallow(input: string): void {
  if (isTooDeep(input)) throw new AppError("bad_request", tooDeepMessage);
}

/** The request with its body read, as far as the wire's limit allows. */
async function withReadBody(request: Request): Promise<Request> {
  if (request.method === "GET" || request.method === "HEAD") {
    const input = new URL(request.url).searchParams.get("input");
    if (input !== null) assertShallow(input);
    return request;
  }
  const body = await readBodyText(request);
  assertShallow(body);
  return new Request(request.url, { method: request.method, headers: request.headers, body });
}
