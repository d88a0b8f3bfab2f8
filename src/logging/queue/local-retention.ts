import type { DatabaseSync } from "node:sqlite";

/**
 * Prepares a file to keep contents that were delivered: an index of them by age, which a file that keeps none is not
 * burdened with.
 */
export function prepareRetention(file: DatabaseSync): void {
  file.exec(
    `CREATE INDEX IF NOT EXISTS delivery_retained ON delivery (created_at_ms)
       WHERE state = 1 AND content_id IS NOT NULL`,
  );
}

/** Whether the file keeps, or once kept, contents that were delivered. */
export function hasRetained(file: DatabaseSync): boolean {
  return file.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'delivery_retained'").get() !== undefined;
}
