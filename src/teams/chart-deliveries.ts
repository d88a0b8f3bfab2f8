import type { Db } from "#lib/db.ts";
import type { Actor } from "#keys/actor.ts";
import { deliveryState } from "#logging/delivery.ts";
import type { DeliveryRow } from "#logging/queue/queue.ts";
import { deliveryTeams } from "#teams/delivery-selection.ts";

/** What became of the calls of a stretch of time. */
export type DeliveryBar = { from: string; delivered: number; pending: number; dead: number; suppressed: number };

/** How the newest deliveries went. */
export type DeliveryChart = {
  /** How many deliveries this is made of, and whether these are all that the gateway keeps. */
  counted: number;
  isAll: boolean;
  /** How long a bar lasts. */
  barMs: number;
  /** From the oldest of them until now; empty without deliveries. */
  bars: DeliveryBar[];
  /** The median time from the call to the delivery; null where none was delivered. */
  lag_ms: number | null;
  last_delivered_at: string | null;
};

const countedMax = 500;
const barsMax = 30;
const minuteMs = 60_000;
/** Lengths that people can name: minutes, hours, days. */
const lengthsMs = [1, 5, 15, 60, 180, 720, 1440].map((minutes) => minutes * minuteMs);

/** Sums up the newest 500 deliveries of a team, or of one of its callbacks. Throws 403 for a team that is not the actor's. */
export async function chartDeliveries(
  db: Db,
  actor: Actor,
  { teamId, callbackId, nowMs = Date.now() }: { teamId: string; callbackId: string | null; nowMs?: number },
): Promise<DeliveryChart> {
  const teams = await deliveryTeams(db, actor, { teamId, to: "read" });
  const filter = { ...teams, ...(callbackId === null ? {} : { callbackIds: [callbackId] }) };
  const { rows, next } = await deliveryState.get().list({ filter, before: null, limit: countedMax });
  const delivered = rows.filter(({ state, settledAtMs }) => state === "delivered" && settledAtMs !== null);
  const settled = delivered.map(({ settledAtMs }) => settledAtMs ?? 0);
  return {
    counted: rows.length,
    isAll: next === null,
    ...toBars(rows, nowMs),
    lag_ms: median(delivered.map(({ createdAtMs, settledAtMs }) => Math.max(0, (settledAtMs ?? 0) - createdAtMs))),
    last_delivered_at: settled.length === 0 ? null : new Date(Math.max(...settled)).toISOString(),
  };
}

/** Bars of one length, so few that they fit on a screen. */
function toBars(rows: readonly DeliveryRow[], nowMs: number): Pick<DeliveryChart, "barMs" | "bars"> {
  const oldestMs = Math.min(nowMs, ...rows.map(({ createdAtMs }) => createdAtMs));
  const fits = (lengthMs: number): boolean => Math.floor(nowMs / lengthMs) - Math.floor(oldestMs / lengthMs) < barsMax;
  const dayMs = 24 * 60 * minuteMs;
  // Older than a month: as many whole days to a bar as it takes.
  const barMs = lengthsMs.find(fits) ?? Math.ceil((nowMs - oldestMs) / dayMs / (barsMax - 1)) * dayMs;
  if (rows.length === 0) return { barMs, bars: [] };
  const first = Math.floor(oldestMs / barMs);
  const bars = Array.from({ length: Math.floor(nowMs / barMs) - first + 1 }, (_, index) => ({
    from: new Date((first + index) * barMs).toISOString(),
    ...{ delivered: 0, pending: 0, dead: 0, suppressed: 0 },
  }));
  for (const { createdAtMs, state } of rows) {
    const bar = bars[Math.min(bars.length - 1, Math.floor(createdAtMs / barMs) - first)];
    if (bar) bar[state] += 1;
  }
  return { barMs, bars };
}

function median(values: readonly number[]): number | null {
  return values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)] ?? null;
}
