import type { Config } from "#lib/config.ts";

const prefix = "os.environ/";

/** Our own settings: no pattern, however wide, lets a reference reach them. */
const forbidden = /^(SLUICE_|LITELLM_|NEXTAUTH_|OIDC_|(DATABASE_URL|REDIS_URL)$)/i;

/** The variable that a value of the form `os.environ/NAME` names, or null where it is no reference. */
export function envReference(value: unknown): string | null {
  return typeof value === "string" && value.startsWith(prefix) ? value.slice(prefix.length) : null;
}

/** Whether `general_settings.env_references` lets stored variables refer to this environment variable. */
export function isAllowedReference(name: string, config: Config): boolean {
  if (forbidden.test(name)) return false;
  return config.general_settings.env_references.some((pattern) => matches(pattern, name));
}

function matches(pattern: string, name: string): boolean {
  const [start = "", ...rest] = pattern.split("*");
  if (rest.length === 0) return pattern === name;
  return name.startsWith(start) && name.endsWith(rest.at(-1) ?? "") && name.length >= pattern.length - rest.length;
}
