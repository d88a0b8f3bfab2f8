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
