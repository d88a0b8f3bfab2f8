"use client";

import { useQuery } from "@tanstack/react-query";
import { ArrowRight, CircleCheck, CircleDashed } from "lucide-react";
import Link from "next/link";
import { QueryState } from "#app/(portal)/portal/(home)/query-state.tsx";
import { teamPath } from "#app/(portal)/portal/(home)/team-path.ts";
import { useTeam } from "#app/(portal)/portal/(home)/use-team.ts";
import { useTRPC } from "#trpc/client.tsx";
import { Card, CardBody, CardHeader } from "#ui/card.tsx";
import { CodeBlock } from "#ui/code-block.tsx";
import { Notice } from "#ui/notice.tsx";
import { PageHeader } from "#ui/page-header.tsx";

/** How a team's logging is doing, and, in the beginning, what to do next. */
export default function OverviewPage() {
  const { teamId, team } = useTeam();
  const trpc = useTRPC();
  const isManager = team.data?.mayManage === true;
  const options = { enabled: isManager, refetchInterval: 5_000 };
  const policy = useQuery(trpc.policy.get.queryOptions({ teamId }, { enabled: isManager }));
  const counts = useQuery(trpc.deliveries.counts.queryOptions({ teamId }, options));
  const keys = useQuery(trpc.keys.list.queryOptions({ teamId }));
  if (!team.data) return <QueryState query={team} />;
  const sums = (counts.data ?? []).reduce(
    (sum, row) => ({
      delivered: sum.delivered + row.delivered,
      pending: sum.pending + row.pending,
      dead: sum.dead + row.dead,
    }),
    { delivered: 0, pending: 0, dead: 0 },
  );
  const callbacks = policy.data?.callbacks ?? 0;
  const isDisabled = policy.data?.effective.decided_by === "team_disabled";
  return (
    <>
      <PageHeader title={team.data.team_alias ?? teamId} description="How the logs of this team's calls are doing." />
      {isDisabled && (
        <Notice tone="plain" title="Logging is disabled">
          Nothing of this team&apos;s calls is kept or sent anywhere. Adding a destination ends that.
        </Notice>
      )}
      <ul className="grid grid-cols-2 gap-3 md:grid-cols-5">
        <Figure label="Destinations" value={callbacks} href={teamPath(teamId, "destinations")} />
        <Figure label="API keys" value={keys.data?.total ?? 0} href={teamPath(teamId, "keys")} />
        <Figure label="Delivered" value={sums.delivered} href={teamPath(teamId, "deliveries")} />
        <Figure label="Waiting" value={sums.pending} href={teamPath(teamId, "deliveries?state=pending")} />
        <Figure label="Failed" value={sums.dead} href={teamPath(teamId, "deliveries?state=dead")} />
      </ul>
      {isManager && !isDisabled && policy.data && keys.data && sums.delivered === 0 && (
        <Checklist teamId={teamId} hasDestination={callbacks > 0} hasKey={keys.data.total > 0} />
      )}
      {isManager && sums.dead > 0 && (
        <Notice tone="bad" title="Some logs were not taken">
          <Link href={teamPath(teamId, "deliveries?state=dead")} className="underline">
            Read why, then send them again
          </Link>
          : {sums.dead} {sums.dead === 1 ? "delivery has" : "deliveries have"} failed for good.
        </Notice>
      )}
      {isManager && sums.delivered > 0 && sums.dead === 0 && (
        <Notice tone="good" title="Logs arrive">
          The team&apos;s destinations have taken {sums.delivered} {sums.delivered === 1 ? "log" : "logs"} so far.
        </Notice>
      )}
    </>
  );
}

function Figure({ label, value, href }: { label: string; value: number; href: string }) {
  return (
    <li>
      <Link href={href} className="grid gap-0.5 rounded-xl border bg-surface px-4 py-3 hover:border-line-strong">
        <span className="text-[0.8125rem] text-quiet">{label}</span>
        <span className="text-2xl font-semibold tabular-nums">{value.toLocaleString("en")}</span>
      </Link>
    </li>
  );
}

type ChecklistProps = { teamId: string; hasDestination: boolean; hasKey: boolean };

function Checklist({ teamId, hasDestination, hasKey }: ChecklistProps) {
  return (
    <Card aria-labelledby="first-steps">
      <CardHeader id="first-steps" title="From here to the first log" description="Three steps, a few minutes." />
      <CardBody>
        <ol className="grid gap-3">
          <Step isDone={hasDestination} href={teamPath(teamId, "destinations/new")} label="Add a destination">
            Langfuse, a bucket, Datadog, a webhook: where the logs shall go.
          </Step>
          <Step isDone={hasKey} href={teamPath(teamId, "keys")} label="Make an API key">
            Applications call the gateway with it.
          </Step>
          <Step isDone={false} label="Make the first call">
            Its log appears under Delivered on this page.
          </Step>
        </ol>
        <CodeBlock label="First call" code={firstCall(typeof window === "undefined" ? "" : window.location.origin)} />
      </CardBody>
    </Card>
  );
}

type StepProps = { isDone: boolean; href?: string; label: string; children: string };

function Step({ isDone, href, label, children }: StepProps) {
  const Icon = isDone ? CircleCheck : CircleDashed;
  return (
    <li className="flex items-start gap-3">
      <Icon className={`mt-0.5 size-5 shrink-0 ${isDone ? "text-good" : "text-quiet"}`} aria-hidden />
      <div className="grid">
        {href && !isDone ? (
          <Link href={href} className="inline-flex w-fit items-center gap-1 font-medium text-accent hover:underline">
            {label}
            <ArrowRight className="size-4" aria-hidden />
          </Link>
        ) : (
          <span className="font-medium">
            {label}
            {isDone && <span className="sr-only"> (done)</span>}
          </span>
        )}
        <span className="text-quiet">{children}</span>
      </div>
    </li>
  );
}

/** The first call as a command. */
function firstCall(origin: string): string {
  return `curl ${origin}/v1/chat/completions \\
  -H "Authorization: Bearer $SLUICE_KEY" \\
  -H "Content-Type: application/json" \\
  -d '{"model": "MODEL", "messages": [{"role": "user", "content": "Hello"}]}'`;
}
