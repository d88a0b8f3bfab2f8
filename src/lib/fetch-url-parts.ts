import { LRUCache } from "lru-cache";
import { toUpstreamError } from "#lib/fetch-failure.ts";
import { stateCell } from "#lib/state.ts";

/** A URL as a request needs it. `host` is name and port, for messages. */
export type UrlParts = { origin: string; path: string; host: string };

const partsState = stateCell<LRUCache<string, UrlParts>>("upstreamUrlParts");

/**
 * The parts of an http or https URL, from a cache: parsing costs as much as sending, and most calls go to a handful of
 * URLs. Throws `UpstreamError` for any other URL and for one that holds credentials, without showing them.
 */
export function toUrlParts(url: string): UrlParts {
  const cache = partsState.find() ?? new LRUCache<string, UrlParts>({ max: 500 });
  partsState.set(cache);
  const known = cache.get(url);
  if (known) return known;
  const parsed = URL.parse(url);
  if (!parsed || !/^https?:$/.test(parsed.protocol))
    throw toUpstreamError("invalid_request", "the host", "invalid URL");
  if (parsed.username !== "" || parsed.password !== "") {
    throw toUpstreamError("invalid_request", parsed.host, "user name or password in the URL");
  }
  const parts = {
    origin: parsed.origin,
    path: parsed.pathname + parsed.search,
    host: parsed.port === "" ? `${parsed.hostname}:${parsed.protocol === "https:" ? "443" : "80"}` : parsed.host,
  };
  cache.set(url, parts);
  return parts;
}
