"use client";

import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { teamPath } from "#app/(portal)/portal/(home)/team-path.ts";
import { toLag } from "#app/(portal)/portal/(home)/teams/[teamId]/deliveries/delivery-chart.tsx";
import { toCount, toMoney, toShare } from "#app/(portal)/portal/(home)/usage/amounts.ts";
import { useTRPC } from "#trpc/client.tsx";
import { Skeleton } from "#ui/skeleton.tsx";

/** `sums` is null while it is not known. */
type TeamFiguresProps = { teamId: string; sums: { delivered: number; pending: number; dead: number } | null };

/** The figures of a team's last week, each leading to the screen that explains it. */
export function TeamFigures({ teamId, sums }: TeamFiguresProps) {
  const trpc = useTRPC();
  const refetchInterval = 5_000;
  const usage = useQuery(trpc.usage.ofTeam.queryOptions({ teamId, days: 7 }, { refetchInterval }));
  const chart = useQuery(trpc.deliveries.chart.queryOptions({ teamId, callbackId: null }, { refetchInterval }));
  const total = usage.data?.total;
  const lagMs = chart.data?.lag_ms ?? null;
  return (
    <ul className="grid grid-cols-2 gap-3 md:grid-cols-3 xl:grid-cols-6">
      <Figure
        label="Calls"
        value={total && toCount(total.calls)}
        note="in 7 days"
        href={teamPath(teamId, "usage?days=7&measure=calls")}
      />
      <Figure
        label="Error rate"
        value={total && toShare(total.failures, total.calls)}
        note={total ? `${toCount(total.failures)} failed` : "in 7 days"}
        href={teamPath(teamId, "usage?days=7&measure=calls")}
      />
      <Figure
        label="Cost"
        value={total && toMoney(total.usd)}
        note="in 7 days"
        href={teamPath(teamId, "usage?days=7")}
      />
      <Figure
        label="Logs delivered"
        value={sums ? toCount(sums.delivered) : undefined}
        note={lagMs === null ? "none yet" : `half within ${toLag(lagMs)}`}
        href={teamPath(teamId, "deliveries")}
      />
      <Figure
        label="Logs waiting"
        value={sums ? toCount(sums.pending) : undefined}
        note="sent by themselves"
        href={teamPath(teamId, "deliveries?state=pending")}
      />
      <Figure
        label="Logs failed"
        value={sums ? toCount(sums.dead) : undefined}
        note={sums === null || sums.dead === 0 ? "none to repair" : "to be sent again"}
        href={teamPath(teamId, "deliveries?state=dead")}
      />
    </ul>
  );
}

type FigureProps = { label: string; value: string | undefined; note: string; href: string };

function Figure({ label, value, note, href }: FigureProps) {
  return (
    <li>
      <Link href={href} className="grid gap-0.5 rounded-xl border bg-surface px-4 py-3 hover:border-line-strong">
        <span className="text-[0.8125rem] text-quiet">{label}</span>
        {value === undefined ? (
          <Skeleton className="my-1.5 h-6 w-16" />
        ) : (
          <span className="text-2xl font-semibold tabular-nums">{value}</span>
        )}
        <span className="text-xs text-quiet">{note}</span>
      </Link>
    </li>
  );
}
