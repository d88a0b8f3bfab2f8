import { UpstreamError } from "#lib/errors.ts";

/** What becomes of what could not be sent: it is due again. */
type Unsent = { outcome: "retry"; status: number; message: string; retryAfterMs?: number };

/**
 * Sends a batch in two halves, one after the other. What the first half met is settled already, so a fault of the
 * destination that ends the second half may not take it back, and neither may the abort of `signal`, where it is given.
 */
export async function sendHalves<Part, Result>(
  parts: readonly Part[],
  send: (half: readonly Part[]) => Promise<Result[]>,
  signal?: AbortSignal,
): Promise<(Result | Unsent)[]> {
  const middle = Math.ceil(parts.length / 2);
  const first = await send(parts.slice(0, middle));
  const rest = parts.slice(middle);
  try {
    return [...first, ...(await send(rest))];
  } catch (error) {
    const unsent = toUnsent(error, signal);
    return [...first, ...rest.map(() => unsent)];
  }
}

function toUnsent(error: unknown, signal: AbortSignal | undefined): Unsent {
  if (error instanceof UpstreamError) {
    const { status, message, retryAfterMs } = error;
    return { outcome: "retry", status, message, ...(retryAfterMs === null ? {} : { retryAfterMs }) };
  }
  if (signal?.aborted === true) return { outcome: "retry", status: 0, message: "interrupted" };
  throw error;
}
