import { globSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { join, sep } from "node:path";
import { Hono } from "hono";
import { z } from "zod";
import { toErrorResponse } from "#http/error-response.ts";
import { pathOf, type Route } from "#http/route.ts";
import { mountedRoutesState, shownPath, type MountedRoute } from "#http/mounted-routes.ts";
import { knownRoutesState } from "#keys/route-classes.ts";
import { AppError } from "#lib/errors.ts";

const methods = ["GET", "POST", "PUT", "PATCH", "DELETE"] as const;
const appDir = fileURLToPath(new URL("../app/", import.meta.url));

const RouteModule = z.record(z.string(), z.unknown());

/** Finds and loads every `route.ts` of the wire, sorted so that fixed paths come before those with parameters. */
export async function loadRoutes(): Promise<MountedRoute[]> {
  const files = globSync("**/route.ts", { cwd: appDir }).filter((file) => file.startsWith(`(rest)${sep}`));
  const routes = await Promise.all(
    files.map(async (file) => {
      const loaded = RouteModule.parse({ ...(await import(pathToFileURL(join(appDir, file)).href)) });
      const handlers = methods.flatMap((method): [string, Route][] => {
        const handler = loaded[method];
        return isRoute(handler) ? [[method, handler]] : [];
      });
      return { path: toPattern(file), file, handlers: new Map(handlers) };
    }),
  );
  routes.sort((left, right) => rankOf(left.path) - rankOf(right.path));
  mountedRoutesState.set(routes);
  knownRoutesState.set(
    routes.flatMap((route) =>
      [...route.handlers.values()].map(({ options }) => ({ pattern: shownPath(route), class: options.class })),
    ),
  );
  return routes;
}

/**
 * Makes the wire's application of its routes. Parameters match greedily, because team ids and model names may hold a
 * `/`. An unknown path is a 404 and an unknown method a 405, both in the envelope.
 */
function makeApp(routes: readonly MountedRoute[]): Hono {
  const app = new Hono();
  for (const { path, handlers } of routes) {
    for (const [method, handler] of handlers) {
      const pattern = shownPath({ path });
      app.on(method, path, (context) =>
        handler(context.req.raw, { params: Promise.resolve(context.req.param()), pattern }),
      );
    }
    const allowed = [...handlers.keys()].join(", ");
    app.all(path, (context) =>
      refuse(
        new AppError("method_not_allowed", "Method Not Allowed", { headers: { allow: allowed } }),
        context.req.path,
      ),
    );
  }
  app.notFound((context) =>
    refuse(new AppError("not_found", `There is no route ${context.req.path}.`), context.req.path),
  );
  app.onError((error, context) => refuse(error, context.req.path));
  return app;
}

/**
 * The wire as one function. Paths without parameters are looked up at once; everything else, and every refusal, is the
 * application's.
 */
export function makeFetch(routes: readonly MountedRoute[]): (request: Request) => Response | Promise<Response> {
  const app = makeApp(routes);
  const fixed = new Map(routes.filter(({ path }) => countParameters(path) === 0).map((route) => [route.path, route]));
  const params = Promise.resolve({});
  return (request) => {
    const route = fixed.get(pathOf(request.url));
    const handler = route?.handlers.get(request.method);
    return route && handler ? handler(request, { params, pattern: route.path }) : app.fetch(request);
  };
}

function refuse(error: Error, route: string): Response {
  return toErrorResponse(error, { requestId: crypto.randomUUID(), route });
}

/** `(rest)/team/[team_id]/callback/route.ts` -> `/team/:team_id{.+}/callback`. */
function toPattern(file: string): string {
  const parts = file.split(sep).slice(1, -1);
  return `/${parts.map((part) => part.replace(/^\[(.+)\]$/, ":$1{.+}")).join("/")}`;
}

/** Fixed paths first; of those with parameters, which match greedily, the ones with more fixed parts. */
function rankOf(path: string): number {
  const parameters = countParameters(path);
  return parameters * 100 - (parameters === 0 ? 0 : path.split("/").length);
}

function countParameters(path: string): number {
  return path.split(":").length - 1;
}

function isRoute(value: unknown): value is Route {
  return typeof value === "function" && "options" in value;
}
