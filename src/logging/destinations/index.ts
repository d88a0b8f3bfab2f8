import type { Destination } from "#logging/destinations/destination.ts";
import { langfuse } from "#logging/destinations/langfuse.ts";
import { localFiles } from "#logging/destinations/local-files.ts";

/** Every destination by the name that `callback_name` takes. */
export const destinations = {
  langfuse,
  local_files: localFiles,
} as const satisfies Record<string, Destination>;

/** Other names under which people know a destination. */
const aliases: Readonly<Record<string, keyof typeof destinations>> = {};

/** What `callback_name` accepts, in alphabetical order. */
export const knownCallbackNames: readonly string[] = [...Object.keys(destinations), ...Object.keys(aliases)].toSorted();

/** The destination of a callback name; null where there is none. */
export function findDestination(name: string): Destination | null {
  const found = Object.entries(destinations).find(([key]) => key === name || key === aliases[name]);
  return found?.[1] ?? null;
}
