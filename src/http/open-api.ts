import { collectSchemas } from "#http/open-api-schemas.ts";
import { describeOperation, type Operation } from "#http/open-api-operation.ts";
import { shownPath, type MountedRoute } from "#http/mounted-routes.ts";
import { routeTags } from "#http/route-description.ts";
import type { Route } from "#http/route.ts";
import { version } from "#lib/version.ts";

/** What `GET /openapi.json` answers, as far as we look into it ourselves. */
export type OpenApiDocument = {
  openapi: "3.1.0";
  info: Record<string, unknown>;
  paths: Record<string, Record<string, Operation & { operationId: string }>>;
  components: { schemas: Record<string, unknown>; securitySchemes: Record<string, unknown> };
  security: Record<string, string[]>[];
  tags: { name: string; description: string }[];
};

const introduction = `The LLM gateway where every team owns its logs.

Paths, fields and errors are those of the LiteLLM proxy, so its clients work by changing the base URL; what is ours is
added to them. A refusal has the envelope \`{"error": {"message", "type", "param", "code"}}\`, except where LiteLLM answers
\`{"detail": …}\`. Every answer names its request in \`x-litellm-call-id\`.`;

const headerKey = (name: string): object => ({ type: "apiKey", in: "header", name });

const securitySchemes = {
  bearer: { type: "http", scheme: "bearer", description: "The master key or a virtual key (`sk-…`)." },
  litellmApiKey: headerKey("x-litellm-api-key"),
  apiKey: headerKey("api-key"),
  xApiKey: headerKey("x-api-key"),
};

/** Describes routes in OpenAPI 3.1, from the schemas that check what comes in. */
export function makeOpenApi(routes: readonly MountedRoute[]): OpenApiDocument {
  const schemas = collectSchemas({ closed: false });
  const firstPlaces = findFirstPlaces(routes);
  const paths: OpenApiDocument["paths"] = {};
  for (const route of routes.toSorted((left, right) => left.path.localeCompare(right.path))) {
    const path = shownPath(route);
    const operations = [...route.handlers].map(([method, handler]): [string, Operation & { operationId: string }] => {
      const operation = describeOperation(handler.options, schemas);
      const firstPlace = firstPlaces.get(handler);
      const isAlias = firstPlace !== undefined && firstPlace !== `${method} ${path}`;
      const description = isAlias
        ? `The same as \`${firstPlace}\`.\n\n${operation.description}`
        : operation.description;
      return [method.toLowerCase(), { operationId: operationId(method, path), ...operation, description }];
    });
    paths[path] = Object.fromEntries(operations);
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Sluice",
      version,
      description: introduction,
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    tags: Object.entries(routeTags).map(([name, description]) => ({ name, description })),
    security: Object.keys(securitySchemes).map((name) => ({ [name]: [] })),
    paths,
    components: { schemas: schemas.named(), securitySchemes },
  };
}

/** Where a handler is at home that several paths lead to: below `/v1`, else at the first of them. */
function findFirstPlaces(routes: readonly MountedRoute[]): ReadonlyMap<Route, string> {
  const places = routes
    .flatMap((route) => [...route.handlers].map(([method, handler]) => ({ method, handler, path: shownPath(route) })))
    .toSorted((left, right) => rank(left.path) - rank(right.path) || left.path.localeCompare(right.path));
  const first = new Map<Route, string>();
  for (const { method, handler, path } of places) {
    if (!first.has(handler)) first.set(handler, `${method} ${path}`);
  }
  return first;
}

function rank(path: string): number {
  return path.startsWith("/v1/") ? 0 : 1;
}

/** `POST /team/{team_id}/disable_logging` -> `postTeamByTeamIdDisableLogging`. */
function operationId(method: string, path: string): string {
  const words = path.replace(/\{/g, "by_").match(/[A-Za-z0-9]+/g) ?? [];
  return method.toLowerCase() + words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("");
}
