import { z } from "zod";

/** A JSON Schema of the 2020-12 dialect, which is OpenAPI 3.1's. */
export type JsonSchema = { [keyword: string]: unknown };

/** Turns zod schemas into those of one document, and collects the ones that have a name of their own. */
export type SchemaCollector = {
  /** The schema of what a caller sends. */
  input(schema: z.ZodType): JsonSchema;
  /** The schema of what he gets. */
  output(schema: z.ZodType): JsonSchema;
  /** The named schemas (`meta({ id })`) that were met so far, as `components.schemas` wants them. */
  named(): Record<string, JsonSchema>;
};

/**
 * Makes a collector. `closed` schemas refuse fields that are not described, which is what a test of our own answers
 * wants; a client shall put up with new ones, so the published document is open. Throws where two schemas of one name
 * differ.
 */
export function collectSchemas({ closed }: { closed: boolean }): SchemaCollector {
  const named = new Map<string, JsonSchema>();
  function convert(schema: z.ZodType, io: "input" | "output"): JsonSchema {
    // Inside an array a named schema becomes a reference, also at the top.
    const converted = z.toJSONSchema(z.array(schema), {
      io,
      unrepresentable: "any",
      override({ jsonSchema }) {
        delete jsonSchema.propertyNames;
        if (!closed && jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
      },
    });
    for (const [name, definition] of Object.entries(converted.$defs ?? {})) {
      if (isAnyJson(name)) continue;
      const { id: _id, ...described } = toObject(withReferences(definition));
      const known = named.get(name);
      if (known && JSON.stringify(known) !== JSON.stringify(described)) {
        throw new Error(`Two different schemas have the name ${name}.`);
      }
      named.set(name, described);
    }
    return toObject(withReferences(converted.items));
  }
  return {
    input: (schema) => convert(schema, "input"),
    output: (schema) => convert(schema, "output"),
    named: () => Object.fromEntries([...named].toSorted(([left], [right]) => left.localeCompare(right))),
  };
}

/** zod's own names stand for schemas that refer to themselves: ours are all `z.json()`. */
function isAnyJson(name: string): boolean {
  return name.startsWith("__schema");
}

/** The same with references to the document's components, and without what stands for any JSON value. */
function withReferences(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withReferences);
  if (typeof value !== "object" || value === null) return value;
  const rewritten: JsonSchema = {};
  for (const [keyword, inner] of Object.entries(value)) {
    if (keyword !== "$ref" || typeof inner !== "string") rewritten[keyword] = withReferences(inner);
    else if (!isAnyJson(inner.replace("#/$defs/", "")))
      rewritten.$ref = inner.replace("#/$defs/", "#/components/schemas/");
  }
  return rewritten;
}

function toObject(value: unknown): JsonSchema {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
