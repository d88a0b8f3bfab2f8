/** True where the database can keep every text in a JSON value: PostgreSQL takes neither NUL nor half a surrogate pair. */
export function isStorable(value: unknown): boolean {
  if (typeof value === "string") return !value.includes("\0") && value.isWellFormed();
  if (typeof value !== "object" || value === null) return true;
  return Object.entries(value).every(([name, inner]) => isStorable(name) && isStorable(inner));
}

/** What a caller reads where `isStorable` is false. */
export const unstorableMessage = "Value error, a text holds a NUL character or half a surrogate pair";

/** A text without what PostgreSQL cannot keep, for texts that others wrote and that are only shown. */
export function toStorableText(text: string): string {
  return text.replaceAll("\0", "").toWellFormed();
}
