import type { Destination } from "#logging/destinations/destination.ts";
import { datadog } from "#logging/destinations/datadog.ts";
import { gcsBucket } from "#logging/destinations/gcs-bucket.ts";
import { langfuse } from "#logging/destinations/langfuse.ts";
import { langfuseOtel } from "#logging/destinations/langfuse-otel.ts";
import { langsmith } from "#logging/destinations/langsmith.ts";
import { localFiles } from "#logging/destinations/local-files.ts";
import { otel } from "#logging/destinations/otel.ts";
import { webhook } from "#logging/destinations/webhook.ts";

/** Every destination by the name that `callback_name` takes. */
export const destinations = {
  datadog,
  gcs_bucket: gcsBucket,
  langfuse,
  langfuse_otel: langfuseOtel,
  langsmith,
  local_files: localFiles,
  otel,
  webhook,
} as const satisfies Record<string, Destination>;

/** Other names under which people know a destination. */
const aliases: Readonly<Record<string, keyof typeof destinations>> = { generic_api: "webhook" };

/** What `callback_name` accepts, in alphabetical order. */
export const knownCallbackNames: readonly string[] = [...Object.keys(destinations), ...Object.keys(aliases)].toSorted();

/** The destination of a callback name; null where there is none. */
export function findDestination(name: string): Destination | null {
  const found = Object.entries(destinations).find(([key]) => key === name || key === aliases[name]);
  return found?.[1] ?? null;
}
