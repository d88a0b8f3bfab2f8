/** The wait that a `Retry-After` header asks for, given in seconds or as a date; null where it says nothing usable. */
export function toRetryAfterMs(header: string | undefined, now = new Date()): number | null {
  const text = header?.trim() ?? "";
  if (text === "") return null;
  const ms = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now.getTime();
  return Number.isFinite(ms) ? Math.max(0, Math.round(ms)) : null;
}
