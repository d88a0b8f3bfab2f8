import { z } from "zod";
import { AnthropicError, ErrorDetail, ErrorEnvelope, ValidationErrors } from "#http/error-response.ts";
import type { JsonSchema, SchemaCollector } from "#http/open-api-schemas.ts";
import type { RouteAuth, RouteOptions } from "#http/route.ts";

/** What stands under a method of a path. */
export type Operation = {
  summary: string;
  description: string;
  tags: string[];
  security?: Record<string, string[]>[];
  parameters: Parameter[];
  requestBody?: { required: boolean; content: Content };
  responses: Record<string, { description: string; headers: Record<string, JsonSchema>; content: Content }>;
};

type Parameter = { name: string; in: "path" | "query"; required: boolean; description?: string; schema: JsonSchema };

type Content = Record<string, { schema: JsonSchema; example?: unknown }>;

type Options = RouteOptions<z.ZodType, z.ZodType>;

const whoMayCall: Record<RouteAuth, string> = {
  none: "Open to everybody.",
  key: "For holders of any valid key.",
  llm: "For holders of any valid key.",
  writer: "For proxy administrators, and for internal users as far as key, team or user is theirs.",
  admin_viewer: "For proxy administrators and their viewers.",
  admin: "For proxy administrators.",
};

/** Says of a route what it takes, what it answers and who may call it. */
export function describeOperation(options: Options, schemas: SchemaCollector): Operation {
  const { describe, auth, body, query } = options;
  const { params = {} } = describe;
  const example = describe.example === undefined ? {} : { example: describe.example };
  return {
    summary: describe.summary,
    description: [describe.details, whoMayCall[auth]].filter((text) => text !== undefined).join("\n\n"),
    tags: [describe.tag],
    ...(auth === "none" ? { security: [] } : {}),
    parameters: [
      ...Object.entries(params).map(([name, param]): Parameter => {
        const schema = { type: "string", minLength: 1, examples: [param.example] };
        return { name, in: "path", required: true, description: param.description, schema };
      }),
      ...(query ? describeQuery(schemas.input(query)) : []),
    ],
    ...(body
      ? {
          requestBody: {
            required: !body.safeParse({}).success,
            content: { "application/json": { schema: schemas.input(body), ...example } },
          },
        }
      : {}),
    responses: describeResponses(options, schemas),
  };
}

function describeQuery({ properties, required }: JsonSchema): Parameter[] {
  const names = Array.isArray(required) ? required : [];
  return Object.entries({ ...(typeof properties === "object" ? properties : {}) }).map(([name, schema]) => ({
    name,
    in: "query",
    required: names.includes(name),
    schema: { ...(typeof schema === "object" ? schema : {}) },
  }));
}

function describeResponses(options: Options, schemas: SchemaCollector): Operation["responses"] {
  const { describe } = options;
  const example = describe.answerExample === undefined ? {} : { example: describe.answerExample };
  const answer = { schema: schemas.output(describe.answer), ...example };
  const stream = { "text/event-stream": { schema: { description: describe.stream } } };
  const refusals = { ...usualRefusals(options), ...describe.refusals };
  return {
    200: {
      description: "Done.",
      headers: callIdHeader,
      content: {
        ...Object.fromEntries([describe.contentType ?? "application/json"].flat().map((type) => [type, answer])),
        ...(describe.stream ? stream : {}),
      },
    },
    ...Object.fromEntries(
      Object.entries(refusals).map(([status, description]) => {
        const schema = schemas.output(refusalSchema(status, options));
        return [status, { description, headers: callIdHeader, content: { "application/json": { schema } } }];
      }),
    ),
  };
}

const callIdHeader = {
  "x-litellm-call-id": {
    description: "The id of the request: the client's own `x-litellm-call-id`, or a new one.",
    schema: { type: "string" },
  },
};

/** What follows from who may call a route and from what it takes. */
function usualRefusals({ auth, body, query, describe: { params = {} } }: Options): Record<string, string> {
  const isChecked = auth !== "llm" && (body !== undefined || Object.keys(params).length > 0);
  return {
    ...(auth === "none"
      ? {}
      : {
          401:
            auth === "key" || auth === "llm"
              ? "The key is missing, unknown, blocked or expired."
              : "The key is missing, unknown, blocked or expired, or its role may not call this route.",
          403:
            auth === "writer"
              ? "The key may not call this route (`allowed_routes`), or the caller may not do this."
              : "The key may not call this route (`allowed_routes`).",
        }),
    ...(body && auth === "llm" ? { 400: "The body does not fit." } : {}),
    ...(body ? { 413: "The body is larger than `general_settings.max_request_size_mb`." } : {}),
    ...(isChecked || query ? { 422: "Path, query or body do not fit; the list says where." } : {}),
    500: "A fault of the gateway; its log has the request id.",
    503: "The database cannot be reached now.",
  };
}

const Refusal = z.union([ErrorEnvelope, ErrorDetail]);

function refusalSchema(status: string, { auth, errors }: Options): z.ZodType {
  if (errors === "anthropic") return AnthropicError;
  if (status === "422") return auth === "llm" ? ErrorEnvelope : z.union([ValidationErrors, ErrorDetail]);
  return auth === "llm" || ["401", "413", "429", "500"].includes(status) ? ErrorEnvelope : Refusal;
}
