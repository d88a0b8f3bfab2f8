import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { describeOperation } from "#http/open-api-operation.ts";
import { collectSchemas } from "#http/open-api-schemas.ts";
import type { Route } from "#http/route.ts";

/** An answer, as far as the description of its route speaks of it. */
export type GivenAnswer = { status: number; contentType: string; body: unknown };

type Described = Map<string, ReadonlyMap<string, ValidateFunction>>;

const described = new WeakMap<Route, Described>();

/**
 * Throws where a route's description does not know an answer: its status, its content type, a field that is missing, of
 * another type, or not described at all.
 */
export function assertDocumented(route: Route, { status, contentType, body }: GivenAnswer): void {
  const known = described.get(route) ?? describe(route);
  described.set(route, known);
  const { summary } = route.options.describe;
  const response = known.get(String(status)) ?? known.get(`${String(status).charAt(0)}XX`);
  if (!response) throw new Error(`"${summary}" does not describe the status ${status}: ${JSON.stringify(body)}`);
  const [mediaType = ""] = contentType.split(";");
  const validate = response.get(mediaType);
  if (!validate) throw new Error(`"${summary}" does not describe ${mediaType} with the status ${status}.`);
  if (mediaType !== "application/json" || validate(body)) return;
  const faults = (validate.errors ?? []).map(
    ({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
  );
  throw new Error(
    `"${summary}" answers ${status} other than described:\n${faults.join("\n")}\n${JSON.stringify(body)}`,
  );
}

function describe(route: Route): Described {
  const schemas = collectSchemas({ closed: true });
  const { responses } = describeOperation(route.options, schemas);
  const components = { schemas: schemas.named() };
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  return new Map(
    Object.entries(responses).map(([status, { content }]) => {
      const byType = Object.entries(content).map(([contentType, { schema }]): [string, ValidateFunction] => {
        const [mediaType = ""] = contentType.split(";");
        return [mediaType, ajv.compile({ ...schema, components })];
      });
      return [status, new Map(byType)];
    }),
  );
}
