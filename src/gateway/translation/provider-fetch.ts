import { fetchUpstream } from "#lib/fetch-upstream.ts";
import type { UpstreamBody } from "#lib/fetch-body.ts";
import type { ProviderCall } from "#gateway/providers/provider.ts";

/** `fetch` as a provider's library calls it. */
export type ProviderFetch = typeof globalThis.fetch;

/** The call's limits, and what ends it. */
export type FetchLimits = Pick<ProviderCall, "timeoutMs" | "totalTimeoutMs" | "onBegun"> & { signal: AbortSignal };

/**
 * The one way out, in the form that a provider's library calls: with the call's timeouts, pulled by the reader. A header
 * without a value is not sent, because a library cannot be told that there is no key.
 */
export function makeProviderFetch({ timeoutMs, totalTimeoutMs, signal, onBegun }: FetchLimits): ProviderFetch {
  return async (input, init) => {
    const headers: Record<string, string> = {};
    for (const [name, value] of new Headers(init?.headers)) if (value !== "") headers[name] = value;
    const answer = await fetchUpstream(input instanceof Request ? input.url : input.toString(), {
      method: init?.method === "GET" ? "GET" : "POST",
      reach: "operator",
      headers,
      body: toBytes(init?.body),
      headersTimeoutMs: timeoutMs,
      bodyTimeoutMs: timeoutMs,
      totalTimeoutMs,
      signal,
    });
    if (answer.status >= 200 && answer.status < 300) onBegun?.();
    const isEmpty = [204, 205, 304].includes(answer.status);
    return new Response(isEmpty ? null : toStream(answer.body), { status: answer.status, headers: answer.headers });
  };
}

/** A fetch that sends nothing and answers with an empty stream. */
export const fetchNothing: ProviderFetch = async () =>
  new Response(new ReadableStream({ start: (controller) => controller.close() }), {
    headers: { "content-type": "text/event-stream" },
  });

function toBytes(body: unknown): string | Uint8Array | undefined {
  if (body === undefined || body === null || typeof body === "string" || body instanceof Uint8Array) {
    return body ?? undefined;
  }
  throw new Error("A provider's library sent a body that is neither text nor bytes.");
}

function toStream(body: UpstreamBody): ReadableStream<Uint8Array> {
  const iterator = body[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await iterator.next();
        if (done === true) controller.close();
        else controller.enqueue(value);
      },
      cancel: () => body.destroy(),
    },
    { highWaterMark: 0 },
  );
}
