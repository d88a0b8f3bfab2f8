/** What was sent, names and values in turn, of the headers of requests that came over this process's own port. */
const sent = new WeakMap<Headers, readonly string[]>();

/** Keeps what a request's headers were made of: going through `Headers` copies and sorts all of them first. */
export function noteSentHeaders(headers: Headers, raw: readonly string[]): void {
  sent.set(headers, raw);
}

/** Whether the name of any header holds `part`, which is in lower case. */
export function hasHeaderLike(headers: Headers, part: string): boolean {
  const raw = sent.get(headers);
  if (raw === undefined) return [...headers.keys()].some((name) => name.includes(part));
  for (let index = 0; index < raw.length; index += 2) if (raw[index]?.toLowerCase().includes(part)) return true;
  return false;
}
