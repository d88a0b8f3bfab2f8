/** Where in a value something is that the database cannot keep. */
export type ValuePath = readonly (string | number)[];

/**
 * Finds a text that PostgreSQL cannot keep (with a NUL or half a surrogate pair), or a number that JSON cannot (1e309).
 * Null if there is none.
 */
export function findUnstorable(value: unknown): ValuePath | null {
  if (typeof value === "string") return value.includes("\0") || !value.isWellFormed() ? [] : null;
  if (typeof value === "number") return Number.isFinite(value) ? null : [];
  if (typeof value !== "object" || value === null) return null;
  for (const [name, inner] of Object.entries(value)) {
    // A name that cannot be kept is not shown either.
    if (findUnstorable(name) !== null) return [];
    const path = findUnstorable(inner);
    if (path !== null) return [Array.isArray(value) ? Number(name) : name, ...path];
  }
  return null;
}

/** True if the database can keep every text and number in a JSON value. */
export function isStorable(value: unknown): boolean {
  return findUnstorable(value) === null;
}

/** What a caller reads if `isStorable` is false. */
export const unstorableMessage =
  "Value error, a text holds a NUL character or half a surrogate pair, or a number is too large";

/** A text without what PostgreSQL cannot keep, for texts that others wrote and that are only shown. */
export function toStorableText(text: string): string {
  return text.replaceAll("\0", "").toWellFormed();
}

const modelNameBytesMax = 1_024;

/** True for a text that can name a model: usage and budgets are stored by it, in indexes that hold no long texts. */
export function isModelName(name: string): boolean {
  return isStorable(name) && Buffer.byteLength(name) <= modelNameBytesMax;
}
