import { z } from "zod";
import { destinations } from "#logging/destinations/index.ts";

/** One variable of a destination as a form needs it. */
export type DescribedVar = {
  name: string;
  title: string;
  description: string | null;
  isSecret: boolean;
  /** The variable that this one is another name of; null: it is none. Forms show it only where it is set. */
  aliasOf: string | null;
  /** True where it names where records go: a change clears the stored secrets. */
  isTarget: boolean;
  type: "text" | "number" | "boolean" | "choice";
  choices: string[];
  defaultValue: string | null;
};

/** A destination as a catalogue and a form need it. */
export type DescribedDestination = {
  name: string;
  label: string;
  vars: DescribedVar[];
  /** The JSON Schema of `callback_vars`. */
  schema: z.core.util.JSONType;
  /** Environment variables that a pasted `.env` block may have, and the variable that each fills. */
  env: Readonly<Record<string, string>>;
};

const Shown = z.object({
  title: z.string().optional(),
  description: z.string().optional(),
  secret: z.boolean().optional(),
  aliasOf: z.string().optional(),
  type: z.string().optional(),
  enum: z.array(z.string()).optional(),
  default: z.union([z.string(), z.number(), z.boolean()]).optional(),
});

/** Every destination that a team may use, with its variables. */
export function describeDestinations(): DescribedDestination[] {
  return Object.entries(destinations)
    .filter(([, destination]) => destination.operatorOnly !== true)
    .map(([name, { label, vars, env = {}, targetVars = [] }]) => {
      const schema = z.toJSONSchema(vars, { io: "input", unrepresentable: "any" });
      const described = Object.entries(schema.properties ?? {}).map(([varName, property]) =>
        describeVar(varName, Shown.catch({}).parse(property), targetVars),
      );
      return { name, label, vars: described, schema: z.json().parse(JSON.parse(JSON.stringify(schema))), env };
    });
}

function describeVar(name: string, shown: z.output<typeof Shown>, targetVars: readonly string[]): DescribedVar {
  return {
    name,
    title: shown.title ?? name,
    description: shown.description ?? null,
    isSecret: shown.secret ?? false,
    aliasOf: shown.aliasOf ?? null,
    isTarget: targetVars.includes(name),
    type: toType(shown),
    choices: shown.enum ?? [],
    defaultValue: shown.default === undefined ? null : String(shown.default),
  };
}

function toType({ type, enum: choices }: z.output<typeof Shown>): DescribedVar["type"] {
  if (choices !== undefined) return "choice";
  if (type === "boolean") return "boolean";
  return type === "number" || type === "integer" ? "number" : "text";
}
