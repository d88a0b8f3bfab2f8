import { type DeliveryColumns, deliveryColumns, toDeliveryRow } from "#logging/queue/database-find.ts";
import type { QueuePool } from "#logging/queue/database-pool.ts";
import { filterConditions } from "#logging/queue/filter-conditions.ts";
import type { DeliveryFilter, DeliveryPage, ListRequest } from "#logging/queue/queue.ts";

/** Makes the `list` of a database queue. */
export function makeList(pool: QueuePool) {
  return async function list({ filter, before, limit }: ListRequest): Promise<DeliveryPage> {
    const { conditions, values } = databaseConditions(filter, [before ?? Number.MAX_SAFE_INTEGER, limit]);
    const where = ["id < $1::bigint", ...conditions].join(" AND ");
    const text = `SELECT id, ${deliveryColumns} FROM queue_delivery WHERE ${where} ORDER BY id DESC LIMIT $2::int`;
    const rows = await pool.query<DeliveryColumns & { id: number }>(text, values);
    return { rows: rows.map(toDeliveryRow), next: rows.length === limit ? (rows.at(-1)?.id ?? null) : null };
  };
}

/** A filter's conditions on `queue_delivery`, and all values of the statement, those that come first included. */
export function databaseConditions(filter: DeliveryFilter, first: readonly unknown[]) {
  const values = [...first];
  function add(value: unknown): string {
    values.push(value);
    return `$${String(values.length)}`;
  }
  const conditions = filterConditions(filter, {
    value: (value) => `${add(value)}::bigint`,
    oneOf(column, texts) {
      // A single one is compared, so that an index gives the rows in their order.
      if (texts.length !== 1) return `${column} = ANY (${add(texts)}::text[])`;
      const condition = `${column} = ${add(texts[0])}::text`;
      // A callback is of one team. PostgreSQL takes the two for independent, expects next to no row and sorts them all.
      return column === "callback_id" && filter.teamIds ? `CASE WHEN ${condition} THEN true ELSE false END` : condition;
    },
  });
  return { conditions, values };
}
