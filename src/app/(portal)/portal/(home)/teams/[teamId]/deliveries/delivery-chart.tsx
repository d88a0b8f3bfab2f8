"use client";

import { useQuery } from "@tanstack/react-query";
import { QueryState } from "#app/(portal)/portal/(home)/query-state.tsx";
import { toCount } from "#app/(portal)/portal/(home)/usage/amounts.ts";
import { type Outputs, useTRPC } from "#trpc/client.tsx";
import { BarChart } from "#ui/bar-chart.tsx";
import { useTimes } from "#ui/times.tsx";

type Chart = Outputs["deliveries"]["chart"];

const series = [
  { name: "Delivered", tone: "good" },
  { name: "Waiting", tone: "warn" },
  { name: "Failed", tone: "bad" },
] as const;

/** How the newest deliveries went over time, of a team or of one of its destinations; it keeps itself up to date. */
export function DeliveryChart({ teamId, callbackId }: { teamId: string; callbackId: string | null }) {
  const trpc = useTRPC();
  const { timeZone } = useTimes();
  const chart = useQuery(trpc.deliveries.chart.queryOptions({ teamId, callbackId }, { refetchInterval: 5_000 }));
  if (chart.data === undefined) return <QueryState query={chart} />;
  const { bars, barMs, counted, isAll } = chart.data;
  if (counted === 0) return <p className="text-quiet">Nothing to draw until the first call was logged.</p>;
  return (
    <div className="grid gap-2">
      <BarChart
        label={`Deliveries, ${lengthOf(barMs)} a bar`}
        of="From"
        series={series}
        bars={bars.map((bar) => ({
          name: nameOf(bar.from, barMs, timeZone),
          values: [bar.delivered, bar.pending, bar.dead],
        }))}
        format={toCount}
      />
      <p className="text-xs text-quiet">
        {isAll ? `All ${toCount(counted)} that the gateway keeps` : `The newest ${toCount(counted)}`}, by when the call
        was made, {lengthOf(barMs)} a bar.{lagOf(chart.data)}
      </p>
    </div>
  );
}

/** The median time to the destination, in words; nothing where there is none. */
export function toLag(lagMs: number): string {
  if (lagMs < 1_000) return `${String(Math.round(lagMs))} ms`;
  if (lagMs < 120_000) return `${(lagMs / 1_000).toFixed(1)} s`;
  return `${toCount(lagMs / 60_000)} min`;
}

function lagOf({ lag_ms: lagMs }: Chart): string {
  return lagMs === null ? "" : ` Half of them arrived within ${toLag(lagMs)}.`;
}

function lengthOf(barMs: number): string {
  const minutes = barMs / 60_000;
  if (minutes < 60) return minutes === 1 ? "a minute" : `${String(minutes)} minutes`;
  if (minutes < 1_440) return minutes === 60 ? "an hour" : `${String(minutes / 60)} hours`;
  return minutes === 1_440 ? "a day" : `${String(minutes / 1_440)} days`;
}

function nameOf(from: string, barMs: number, timeZone: string | undefined): string {
  const time = new Date(from);
  const date = time.toLocaleDateString("en", { month: "short", day: "numeric", timeZone });
  if (barMs >= 86_400_000) return date;
  const clock = time.toLocaleTimeString("en", { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone });
  return `${date}, ${clock}${timeZone === undefined ? "" : ` ${timeZone}`}`;
}
