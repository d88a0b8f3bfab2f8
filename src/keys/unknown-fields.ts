import { currentLogger } from "#lib/logger.ts";

/** Says in our log which fields of a write have no meaning here: names only, because a value may be a secret. */
export function warnOfUnknownFields(given: object, shape: object): void {
  const unknown = Object.keys(given).filter((name) => !Object.hasOwn(shape, name));
  if (unknown.length > 0) currentLogger().warn({ fields: unknown.slice(0, 50) }, "unknown fields were ignored");
}
