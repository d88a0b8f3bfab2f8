/** The wait that a `Retry-After` header asks for, in seconds or as a date; null where it says nothing. */
export function toRetryAfterMs(header: string | undefined): number | null {
  if (header === undefined || header === "") return null;
  const ms = /^\d+(\.\d+)?$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, Math.round(ms)) : null;
}
