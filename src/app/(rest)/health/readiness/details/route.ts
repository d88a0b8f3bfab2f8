import { readReadiness } from "#http/readiness.ts";
import { route } from "#http/route.ts";
import { version } from "#lib/version.ts";
import { listGlobalCallbacks } from "#logging/list-global-callbacks.ts";

/** Readiness with what only holders of a key may know. */
export const GET = route({ auth: "key" }, async ({ db }) => {
  const { success, failure, success_and_failure } = listGlobalCallbacks();
  return {
    ...(await readReadiness(db)),
    cache: null,
    litellm_version: version,
    success_callbacks: [...success, ...success_and_failure],
    failure_callbacks: [...failure, ...success_and_failure],
  };
});
