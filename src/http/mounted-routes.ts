import type { RouteAuth } from "#http/route.ts";
import { stateCell } from "#lib/state.ts";

/** A route as `GET /routes` shows it. */
export type ShownRoute = { path: string; methods: string[]; auth: Record<string, RouteAuth> };

/** The routes that this process serves, by path; set when they are loaded. */
export const mountedRoutesState = stateCell<readonly ShownRoute[]>("mounted-routes");
