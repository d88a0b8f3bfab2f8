import { isRecord, type ConfigPath } from "#lib/config-document.ts";
import type { ConfigReport } from "#lib/config-report.ts";

/** Environment variables by name. `process.env` is one. */
export type Environment = Readonly<Record<string, string | undefined>>;

const prefix = "os.environ/";

/** Names that are read before the file, so a value in the file comes too late. */
const readBefore = /^(SLUICE_.*|PORT|HOST|DATABASE_URL|LITELLM_MASTER_KEY|LITELLM_SALT_KEY)$/;

/** The variable that a text such as `os.environ/NAME` names, or null where the value is no reference. */
export function referencedName(value: unknown): string | null {
  return typeof value === "string" && value.startsWith(prefix) ? value.slice(prefix.length).trim() : null;
}

/**
 * The value with every `os.environ/NAME` in it, at any depth, replaced by that variable. `true` and `false` become
 * booleans, a variable that is unset or empty becomes null with a warning. A text that merely contains a reference
 * stays as it is.
 */
export function resolveReferences(
  value: unknown,
  env: Environment,
  { report, path = [] }: { report: ConfigReport; path?: ConfigPath },
): unknown {
  if (Array.isArray(value)) {
    return value.map((item, index) => resolveReferences(item, env, { report, path: [...path, index] }));
  }
  if (isRecord(value)) {
    const entries = Object.entries(value);
    return Object.fromEntries(
      entries.map(([key, inner]) => [key, resolveReferences(inner, env, { report, path: [...path, key] })]),
    );
  }
  const name = referencedName(value);
  return name === null ? value : lookUp(name, env, { report, path });
}

/**
 * The variables that the section `environment_variables` sets, as text. Values may be references, also to variables
 * that the section set further up. As with LiteLLM, the file wins over the environment, and a reference to an unset
 * variable leaves the environment as it is.
 */
export function readEnvironmentVariables(section: unknown, env: Environment, report: ConfigReport): Environment {
  if (section === undefined || section === null) return {};
  if (!isRecord(section)) {
    report.error(["environment_variables"], "expected a mapping. Fix: write one indented NAME: value per line.");
    return {};
  }
  const variables: Record<string, string> = {};
  for (const [name, written] of Object.entries(section)) {
    const path = ["environment_variables", name];
    const value = resolveReferences(written, { ...env, ...variables }, { report, path });
    if (value === null) continue;
    if (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean") {
      report.error(path, "expected one text. Fix: put the value in quotes, lists and mappings as JSON.");
      continue;
    }
    if (readBefore.test(name)) {
      report.warning(path, "is read before this file and has no effect here. Fix: set it in the environment.");
    }
    variables[name] = String(value);
  }
  return variables;
}

function lookUp(
  name: string,
  env: Environment,
  { report, path }: { report: ConfigReport; path: ConfigPath },
): string | boolean | null {
  const value = Object.hasOwn(env, name) ? env[name] : undefined;
  if (value === undefined || value === "") {
    const state = value === undefined ? "is not set" : "is empty";
    report.warning(path, `the environment variable ${name} ${state}, so the value is null. Fix: set ${name}.`);
    return null;
  }
  const word = value.trim().toLowerCase();
  if (word === "true" || word === "false") return word === "true";
  return value;
}
