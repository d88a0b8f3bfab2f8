"use client";

import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { teamPath } from "#app/(portal)/portal/(home)/team-path.ts";
import { toLag } from "#app/(portal)/portal/(home)/teams/[teamId]/deliveries/delivery-chart.tsx";
import { toCount, toMoney, toShare } from "#app/(portal)/portal/(home)/usage/amounts.ts";
import { useTRPC } from "#trpc/client.tsx";

type TeamFiguresProps = { teamId: string; sums: { delivered: number; pending: number; dead: number } };

/** The figures of a team's last week, each leading to the screen that explains it. */
export function TeamFigures({ teamId, sums }: TeamFiguresProps) {
  const trpc = useTRPC();
  const refetchInterval = 5_000;
  const usage = useQuery(trpc.usage.ofTeam.queryOptions({ teamId, days: 7 }, { refetchInterval }));
  const chart = useQuery(trpc.deliveries.chart.queryOptions({ teamId, callbackId: null }, { refetchInterval }));
  const { calls = 0, failures = 0, usd = 0 } = usage.data?.total ?? {};
  const lagMs = chart.data?.lag_ms ?? null;
  return (
    <ul className="grid grid-cols-2 gap-3 md:grid-cols-3 xl:grid-cols-6">
      <Figure
        label="Calls"
        value={toCount(calls)}
        note="in 7 days"
        href={teamPath(teamId, "usage?days=7&measure=calls")}
      />
      <Figure
        label="Error rate"
        value={toShare(failures, calls)}
        note={`${toCount(failures)} failed`}
        href={teamPath(teamId, "usage?days=7&measure=calls")}
      />
      <Figure label="Cost" value={toMoney(usd)} note="in 7 days" href={teamPath(teamId, "usage?days=7")} />
      <Figure
        label="Logs delivered"
        value={toCount(sums.delivered)}
        note={lagMs === null ? "none yet" : `half within ${toLag(lagMs)}`}
        href={teamPath(teamId, "deliveries")}
      />
      <Figure
        label="Logs waiting"
        value={toCount(sums.pending)}
        note="sent by themselves"
        href={teamPath(teamId, "deliveries?state=pending")}
      />
      <Figure
        label="Logs failed"
        value={toCount(sums.dead)}
        note={sums.dead === 0 ? "none to repair" : "to be sent again"}
        href={teamPath(teamId, "deliveries?state=dead")}
      />
    </ul>
  );
}

type FigureProps = { label: string; value: string; note: string; href: string };

function Figure({ label, value, note, href }: FigureProps) {
  return (
    <li>
      <Link href={href} className="grid gap-0.5 rounded-xl border bg-surface px-4 py-3 hover:border-line-strong">
        <span className="text-[0.8125rem] text-quiet">{label}</span>
        <span className="text-2xl font-semibold tabular-nums">{value}</span>
        <span className="text-xs text-quiet">{note}</span>
      </Link>
    </li>
  );
}
