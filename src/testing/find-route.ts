import { loadRoutes } from "#http/dispatch.ts";
import { shownPath } from "#http/mounted-routes.ts";
import type { Route } from "#http/route.ts";

/** The handler of a route as it is mounted, by method and pattern: `POST /team/{team_id}/callback`. */
export async function findRoute(name: string): Promise<Route> {
  const [method = "", pattern = ""] = name.split(" ", 2);
  const handler = (await loadRoutes()).find((route) => shownPath(route) === pattern)?.handlers.get(method);
  if (handler === undefined) throw new Error(`There is no route ${name}.`);
  return handler;
}
