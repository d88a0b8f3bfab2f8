/** The longest wait that a remote party can impose. A larger number is a mistake or an attack. */
export const remoteWaitMsMax = 3_600_000;

/** A wait that a remote party asked for, as whole milliseconds from 0 to an hour. `NaN` is no wait. */
export function boundWaitMs(ms: number): number {
  return Number.isNaN(ms) ? 0 : Math.round(Math.min(remoteWaitMsMax, Math.max(0, ms)));
}

/**
 * The wait that a `Retry-After` header asks for, given in seconds or as a date, and never more than an hour. Null if the
 * header is absent or is neither.
 */
export function toRetryAfterMs(header: string | undefined, now = new Date()): number | null {
  const text = header?.trim() ?? "";
  if (text === "") return null;
  if (/^\d+(\.\d+)?$/.test(text)) return boundWaitMs(Number(text) * 1000);
  const ms = Date.parse(text) - now.getTime();
  return Number.isNaN(ms) ? null : boundWaitMs(ms);
}

/**
 * The wait that an answer's headers ask for: `retry-after-ms` (OpenAI and Azure send it, and it is finer), else
 * `retry-after`. Never more than an hour; null if neither says something.
 */
export function readRetryAfterMs(
  headers: Readonly<Record<string, string | undefined>>,
  now = new Date(),
): number | null {
  const text = headers["retry-after-ms"]?.trim() ?? "";
  if (/^\d+(\.\d+)?$/.test(text)) return boundWaitMs(Number(text));
  return toRetryAfterMs(headers["retry-after"], now);
}
