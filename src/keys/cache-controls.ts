import { z } from "zod";

const flag = z.boolean().catch(false).default(false);
const seconds = z.number().positive().optional().catch(undefined);

/** LiteLLM's `cache` object, of a request and of the metadata of a key or a team; what does not fit says nothing. */
export const CacheControls = z.object({
  "no-cache": flag,
  "no-store": flag,
  "use-cache": flag,
  ttl: seconds,
  "s-maxage": seconds,
  namespace: z.string().optional().catch(undefined),
});
export type CacheControls = z.output<typeof CacheControls>;

const Allowed = z
  .object({ allowed_cache_controls: z.union([z.array(z.string()), z.string().transform((name) => [name])]).catch([]) })
  .catch({ allowed_cache_controls: [] });

/** `allowed_cache_controls` of a key: the controls that its requests may set; an empty list allows all. */
export function readAllowedControls(extras: unknown): string[] {
  return Allowed.parse(extras ?? {}).allowed_cache_controls;
}
