import type { RouteAuth } from "#http/route.ts";
import type { Caller } from "#keys/caller.ts";
import { isProxyAdmin, mayWrite, readsEverything } from "#keys/rights.ts";
import { assertRoutesAllowed, type MatchedRoute } from "#keys/route-limits.ts";
import { AppError } from "#lib/errors.ts";

const everybody = (): boolean => true;

const isOpenTo: Record<RouteAuth, (caller: Caller) => boolean> = {
  none: everybody,
  key: everybody,
  llm: everybody,
  writer: mayWrite,
  admin_viewer: readsEverything,
  admin: isProxyAdmin,
};

/** The route that a request was matched with, who it is for, and its path for people. */
export type CalledRoute = MatchedRoute & { auth: RouteAuth; path: string };

/**
 * Throws if the key's `allowed_routes` or the caller's role do not open this route, in LiteLLM's order, words and
 * statuses: 403 for a route that the key does not name, 401 for an administrator's route.
 */
export function assertRouteAllowed(caller: Caller, route: CalledRoute): void {
  assertRoutesAllowed(caller.allowedRoutes, [route], route.path);
  if (isOpenTo[route.auth](caller)) return;
  const who = `Route=${route.path}. Your role=${caller.role}. Your user_id=${caller.attribution.userId ?? "None"}`;
  throw new AppError(
    "unauthorized",
    `Authentication Error, Only proxy admin can be used to generate, delete, update info for new keys/users/teams. ${who}`,
  );
}
