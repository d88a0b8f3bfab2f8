/** One field of a row that a change set; a side is undefined where the row did not have it. */
export type ChangedField = { path: string; before: string | undefined; after: string | undefined };

/** What every write sets, and nobody asks about. */
const noise = new Set(["updated_at", "updated_by", "created_at"]);

/** The fields in which two rows differ, by dotted paths. Of a row that was made or deleted, those that say something. */
export function changedFields(before: unknown, after: unknown): ChangedField[] {
  const [old, fresh] = [flatten(before), flatten(after)];
  return [...new Set([...old.keys(), ...fresh.keys()])]
    .filter((path) => old.get(path) !== fresh.get(path))
    .map((path) => ({ path, before: old.get(path), after: fresh.get(path) }));
}

function flatten(value: unknown, path = ""): Map<string, string> {
  const texts = new Map<string, string>();
  if (isRow(value)) {
    for (const [name, inner] of Object.entries(value)) {
      if (path === "" && noise.has(name)) continue;
      for (const [at, text] of flatten(inner, path === "" ? name : `${path}.${name}`)) texts.set(at, text);
    }
  } else if (!isEmpty(value) && path !== "") {
    texts.set(path, toText(value));
  }
  return texts;
}

function isRow(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isEmpty(value: unknown): boolean {
  return value === null || value === undefined || (Array.isArray(value) && value.length === 0);
}

function toText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
