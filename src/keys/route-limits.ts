import { AppError } from "#lib/errors.ts";
import { findRouteGroup, isGroupWithin, isInGroup, knownRoutesState, type KnownRoute } from "#keys/route-classes.ts";

/** A route that a request was matched with, and the values of its parameters as far as they are known. */
export type MatchedRoute = KnownRoute & { params: Readonly<Record<string, string>> };

/**
 * Throws LiteLLM's 403 unless the key's `allowed_routes` open every one of the routes. The only decision about route
 * limits, for REST and tRPC alike: it sees the matched route and never the text of the request. An empty list limits
 * nothing; a limited key gets nothing if there is no route to decide by.
 */
export function assertRoutesAllowed(
  allowed: readonly string[],
  routes: readonly MatchedRoute[],
  triedRoute: string,
): void {
  if (allowed.length === 0) return;
  if (routes.length > 0 && routes.every((route) => allowed.some((entry) => opensRoute(entry, route)))) return;
  throw new AppError(
    "forbidden",
    `Virtual key is not allowed to call this route. Only allowed to call routes: [${allowed.join(", ")}]. ` +
      `Tried to call route: ${triedRoute}`,
  );
}

/**
 * Whether one entry of `allowed_routes` opens a route: a group of LiteLLM, the route's pattern with any names of its
 * parameters, its concrete path, or a prefix of these with `*` at its end. Values are compared as one segment each,
 * whatever slashes they hold.
 */
export function opensRoute(entry: string, route: MatchedRoute): boolean {
  const group = findRouteGroup(entry);
  if (group !== null) return isInGroup(route.class, group);
  if (!entry.startsWith("/") && entry !== "*") return false;
  return readEntry(entry, route.pattern).some((wanted) => matchesSegments(wanted, segmentsOf(route)));
}

/**
 * Whether a key that has the entries `held` may be given another one: only if it opens nothing more. Unknown texts open
 * nothing, and are held only by themselves.
 */
export function isRouteHeld(held: readonly string[], entry: string): boolean {
  return held.includes(entry) || held.some((outer) => isEntryWithin(entry, outer));
}

function isEntryWithin(entry: string, outer: string): boolean {
  const [group, outerGroup] = [findRouteGroup(entry), findRouteGroup(outer)];
  if (group !== null && outerGroup !== null) return isGroupWithin(group, outerGroup);
  if (group !== null || !entry.startsWith("/")) return outer === "*" || outer === "/*";
  if (outerGroup !== null) {
    const opened = (knownRoutesState.find() ?? []).filter(({ pattern }) => mayOpen(entry, pattern));
    return opened.length > 0 && opened.every((route) => isInGroup(route.class, outerGroup));
  }
  const [inner, wanted] = [toWanted(entry), toWanted(outer)];
  if (inner.isPrefix && !wanted.isPrefix) return false;
  return matchesSegments(wanted, inner.segments);
}

/** Whether an entry opens a route for some value of its parameters. */
function mayOpen(entry: string, pattern: string): boolean {
  const anyValue = segmentsOf({ pattern, params: {} });
  return readEntry(entry, pattern).some(({ segments, isPrefix }) => {
    const isLong = anyValue.length > segments.length ? isPrefix : anyValue.length === segments.length;
    const isLike = segments.every((segment, index) => {
      const own = anyValue[index];
      if (own === undefined) return false;
      const isLast = isPrefix && index === segments.length - 1;
      return isPlaceholder(own) || isPlaceholder(segment) || (isLast ? own.startsWith(segment) : own === segment);
    });
    return isLong && isLike;
  });
}

/** Longer entries are read segment by segment alone: a pattern with two values would take too long on them. */
const entryLengthMax = 1_000;

/** An entry as segments to compare with. `isPrefix`: its last segment is the beginning of one, and more may follow. */
type Wanted = { segments: readonly string[]; isPrefix: boolean };

/** The ways to read an entry: segment by segment, and with slashes in the values of the route's parameters. */
function readEntry(entry: string, pattern: string): Wanted[] {
  const bySegment = toWanted(entry);
  if (bySegment.isPrefix || !pattern.includes("{") || entry.length > entryLengthMax) return [bySegment];
  const names: string[] = [];
  const source = pattern.replace(/\{(\w+)\}|[^{]+/g, (text, name: string | undefined) => {
    if (name === undefined) return text.replace(/[.*+?^$()|[\]\\]/g, "\\$&");
    names.push(name);
    return "(.+)";
  });
  const values = new RegExp(`^${source}$`, "s").exec(entry)?.slice(1);
  if (values === undefined) return [bySegment];
  const params = Object.fromEntries(names.map((name, index) => [name, decode(values[index] ?? "")]));
  return [bySegment, { segments: segmentsOf({ pattern, params }), isPrefix: false }];
}

function toWanted(entry: string): Wanted {
  const isPrefix = entry.endsWith("*");
  const text = isPrefix ? entry.slice(0, -1) : entry;
  const segments = text.split("/").map((segment) => (isPlaceholder(segment) ? segment : encode(decode(segment))));
  return { segments, isPrefix };
}

/** The route's concrete path in segments, each value one segment; a value that is not known stays `{name}`. */
function segmentsOf({ pattern, params }: Pick<MatchedRoute, "pattern" | "params">): string[] {
  return pattern.split("/").map((segment) => {
    if (!isPlaceholder(segment)) return segment;
    const name = segment.slice(1, -1);
    const value = Object.hasOwn(params, name) ? params[name] : undefined;
    return value === undefined ? segment : encode(value);
  });
}

function matchesSegments({ segments, isPrefix }: Wanted, actual: readonly string[]): boolean {
  if (isPrefix ? actual.length < segments.length : actual.length !== segments.length) return false;
  return segments.every((segment, index) => {
    const own = actual[index] ?? "";
    if (isPlaceholder(segment)) return own !== "";
    return isPrefix && index === segments.length - 1 ? own.startsWith(segment) : own === segment;
  });
}

/** No encoded text holds braces, so that a value is never taken for a placeholder. */
function isPlaceholder(segment: string): boolean {
  return /^\{[^{}]+\}$/.test(segment);
}

function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
