import { closest, distance } from "fastest-levenshtein";

/** The known name that a misspelt one most likely means, or null where none is close enough to be worth suggesting. */
export function nearestName(name: string, known: readonly string[]): string | null {
  if (known.length === 0) return null;
  const nearest = closest(name, known);
  const changesMax = Math.min(3, Math.floor(name.length / 3));
  return distance(name, nearest) <= changesMax ? nearest : null;
}
