import { z } from "zod";
import { currentLogger } from "#lib/logger.ts";

const namesMax = 10;

/**
 * The sentence that tells a caller which fields of his body have no meaning here, null where all have one. It is said in
 * our log too: names only, because a value may be a secret.
 */
export function ignoredFieldsWarning(schema: z.ZodType, body: unknown): string | null {
  if (!(schema instanceof z.ZodObject) || typeof body !== "object" || body === null) return null;
  const unknown = Object.keys(body).filter((name) => !Object.hasOwn(schema.shape, name));
  if (unknown.length === 0) return null;
  currentLogger().warn({ fields: unknown.slice(0, 50) }, "unknown fields were ignored");
  // What a header can carry: no other text comes back.
  const named = unknown.filter((name) => /^[\w.-]{1,64}$/.test(name)).slice(0, namesMax);
  const count = `${String(unknown.length)} unknown ${unknown.length === 1 ? "field was" : "fields were"} ignored`;
  return named.length === 0 ? count : `${count}: ${named.join(", ")}`;
}
