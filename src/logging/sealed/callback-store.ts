import type { Database } from "#lib/db.ts";
import { isSealedText, sealedBytes, toSealedText } from "#lib/seal.ts";
import { CallbackVars } from "#logging/callback.ts";
import { placeOfVar } from "#logging/callback-vars.ts";
import type { SealedItem, SealedStore } from "#logging/sealed/sealed-store.ts";
import { callbackColumns, scopeOf, type StoredCallback } from "#logging/stored-callback.ts";

const pageRows = 200;

/** The sealed variables of the callbacks of teams and keys. */
export function callbackStore(db: Database["db"]): SealedStore {
  return {
    kind: "callback_secret",
    async *pages() {
      for (let after = ""; ;) {
        const where = { id: { gt: after } };
        const rows = await db.callback.findMany({
          where,
          orderBy: { id: "asc" },
          take: pageRows,
          select: callbackColumns,
        });
        const last = rows.at(-1);
        if (!last) return;
        yield rows.flatMap(toItems);
        after = last.id;
      }
    },
    async replace(changes) {
      let replaced = 0;
      // The text that is replaced is bound to callback, field, owner and target: it changes with each of them.
      for (const { item, sealed } of changes) {
        replaced += await db.$executeRaw`
          UPDATE "Callback"
            SET "callbackVars" = jsonb_set("callbackVars", ARRAY[${item.field}::text], to_jsonb(${toSealedText(sealed)}::text))
            WHERE id = ${item.row} AND "callbackVars" ->> ${item.field}::text = ${toSealedText(item.sealed)}`;
      }
      return replaced;
    },
  };
}

function toItems(row: StoredCallback): SealedItem[] {
  const vars = CallbackVars.safeParse(row.callbackVars);
  if (!vars.success) return [];
  const owner = { callbackId: row.id, callbackName: row.callbackName, scope: scopeOf(row) };
  return Object.entries(vars.data).flatMap(([name, value]) => {
    if (typeof value !== "string" || !isSealedText(value)) return [];
    const place = placeOfVar(owner, name, vars.data);
    return [{ id: `callback ${row.id}, ${name}`, row: row.id, field: name, sealed: sealedBytes(value), place }];
  });
}
