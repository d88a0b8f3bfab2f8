import { z } from "zod";
import type { Route } from "#http/route.ts";
import { stateCell } from "#lib/state.ts";

/** A route file of the wire: its path as Hono matches it, and its handlers by method. */
export type MountedRoute = { path: string; file: string; handlers: ReadonlyMap<string, Route> };

/** A route as `GET /routes` shows it. */
export const ShownRoute = z.object({
  path: z.string(),
  methods: z.array(z.string()),
  auth: z.record(z.string(), z.enum(["none", "key", "writer", "admin_viewer", "admin", "llm"])),
});
export type ShownRoute = z.output<typeof ShownRoute>;

/** The routes that this process serves, by path; set when they are loaded. */
export const mountedRoutesState = stateCell<readonly MountedRoute[]>("mounted-routes");

/** The path of a mounted route as people write it: `/team/{team_id}/callback`. */
export function shownPath({ path }: Pick<MountedRoute, "path">): string {
  return path.replace(/:(\w+)\{\.\+\}/g, "{$1}");
}

/** Who may call which method of which path, sorted by path. */
export function showRoutes(routes: readonly MountedRoute[]): ShownRoute[] {
  const shown = routes.map((route) => ({
    path: shownPath(route),
    methods: [...route.handlers.keys()],
    auth: Object.fromEntries([...route.handlers].map(([method, { options }]) => [method, options.auth])),
  }));
  return shown.toSorted((left, right) => left.path.localeCompare(right.path));
}
