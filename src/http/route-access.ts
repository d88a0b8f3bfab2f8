import type { RouteAuth } from "#http/route.ts";
import type { Caller } from "#keys/caller.ts";
import { isProxyAdmin, mayWrite, readsEverything } from "#keys/rights.ts";
import { AppError } from "#lib/errors.ts";

/** What LiteLLM's names in `allowed_routes` stand for. */
const routeGroups: Record<string, (path: string) => boolean> = {
  llm_api_routes: (path) => !isManagement(path),
  management_routes: isManagement,
  info_routes: (path) => path.endsWith("/info") || path.endsWith("/list") || path.endsWith("/models"),
};

const everybody = (): boolean => true;

const isOpenTo: Record<RouteAuth, (caller: Caller) => boolean> = {
  none: everybody,
  key: everybody,
  llm: everybody,
  writer: mayWrite,
  admin_viewer: readsEverything,
  admin: isProxyAdmin,
};

/**
 * Throws where the caller's role or the key's `allowed_routes` do not let him call this path, in LiteLLM's words and
 * statuses: 401 for an administrator's route, 403 for a route that the key does not name.
 */
export function assertRouteAllowed(caller: Caller, auth: RouteAuth, path: string): void {
  if (!isOpenTo[auth](caller)) {
    const who = `Route=${path}. Your role=${caller.role}. Your user_id=${caller.attribution.userId ?? "None"}`;
    throw new AppError(
      "unauthorized",
      `Authentication Error, Only proxy admin can be used to generate, delete, update info for new keys/users/teams. ${who}`,
    );
  }
  const allowed = caller.allowedRoutes;
  if (allowed.length === 0 || allowed.some((entry) => matches(entry, path))) return;
  throw new AppError(
    "forbidden",
    `Virtual key is not allowed to call this route. Only allowed to call routes: [${allowed.join(", ")}]. ` +
      `Tried to call route: ${path}`,
  );
}

function matches(entry: string, path: string): boolean {
  const group = Object.hasOwn(routeGroups, entry) ? routeGroups[entry] : undefined;
  if (group) return group(path);
  return entry.endsWith("*") ? path.startsWith(entry.slice(0, -1)) : path === entry;
}

function isManagement(path: string): boolean {
  return /^\/(v2\/)?(key|team|user|audit|health|routes|active|callbacks|metrics)(\/|$)/.test(path);
}
