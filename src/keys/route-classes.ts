import { stateCell } from "#lib/state.ts";

/**
 * What a route is, as far as the route limits of keys ask. Each class lists the groups of LiteLLM that it belongs to; a
 * route without a group is open to limited keys only by its path.
 */
export const routeClasses = {
  /** Asks for no key, so no key's limits apply. */
  open: ["public_routes"],
  openai: ["openai_routes"],
  anthropic: ["anthropic_routes"],
  model_list: ["openai_routes", "info_routes"],
  /** The receipt of the caller's own call, which an application reads after it. */
  receipt: ["llm_api_routes", "llm_api_routes_without_mcp", "info_routes"],
  key_read: ["key_management_routes", "info_routes"],
  key_write: ["key_management_routes"],
  /** Reads for everybody who manages or watches something. */
  read: ["management_routes", "info_routes"],
  /** Reads for operators. */
  operate: ["management_routes", "admin_viewer_routes"],
  write: ["management_routes"],
  /** Writes that a team's own administrators may do. */
  team_write: ["management_routes", "self_managed_routes"],
} as const satisfies Readonly<Record<string, readonly RouteGroup[]>>;

/** The class that each route and procedure declares. */
export type RouteClass = keyof typeof routeClasses;

/** LiteLLM's names in `allowed_routes` that stand for routes of this gateway. */
export const routeGroups = [
  "public_routes",
  "openai_routes",
  "anthropic_routes",
  "llm_api_routes",
  "llm_api_routes_without_mcp",
  "info_routes",
  "key_management_routes",
  "management_routes",
  "self_managed_routes",
  "admin_viewer_routes",
  "internal_user_routes",
  "ui_routes",
  "org_admin_allowed_routes",
] as const;

/** One of `routeGroups`. */
export type RouteGroup = (typeof routeGroups)[number];

/** The groups that a group is made of, beside the routes that are in it by their class. */
const groupParts: Readonly<Partial<Record<RouteGroup, readonly RouteGroup[]>>> = {
  llm_api_routes: ["openai_routes", "anthropic_routes"],
  llm_api_routes_without_mcp: ["openai_routes", "anthropic_routes"],
  management_routes: ["key_management_routes"],
  internal_user_routes: ["key_management_routes"],
  admin_viewer_routes: ["info_routes"],
  ui_routes: ["info_routes"],
  org_admin_allowed_routes: ["management_routes", "self_managed_routes", "admin_viewer_routes"],
};

/** Null for a text that names no group. */
export function findRouteGroup(name: string): RouteGroup | null {
  return routeGroups.find((group) => group === name) ?? null;
}

/** Whether the routes of a class belong to a group. */
export function isInGroup(routeClass: RouteClass, group: RouteGroup): boolean {
  return holds(routeClasses[routeClass], group);
}

/** Whether all routes of one group belong to another one. */
export function isGroupWithin(group: RouteGroup, outer: RouteGroup): boolean {
  return Object.values(routeClasses).every((groups) => !holds(groups, group) || holds(groups, outer));
}

function holds(groups: readonly RouteGroup[], group: RouteGroup): boolean {
  return groups.includes(group) || (groupParts[group] ?? []).some((part) => holds(groups, part));
}

/** A route of the wire as people write it: `/team/{team_id}/callback`. */
export type KnownRoute = { pattern: string; class: RouteClass };

/** Every route that this process serves, each method's class once; set when the routes are loaded. */
export const knownRoutesState = stateCell<readonly KnownRoute[]>("known-routes");
