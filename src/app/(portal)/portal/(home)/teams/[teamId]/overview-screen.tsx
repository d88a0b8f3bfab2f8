"use client";

import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { QueryState } from "#app/(portal)/portal/(home)/query-state.tsx";
import { teamPath } from "#app/(portal)/portal/(home)/team-path.ts";
import { Checklist } from "#app/(portal)/portal/(home)/teams/[teamId]/checklist.tsx";
import { DeliveryChart } from "#app/(portal)/portal/(home)/teams/[teamId]/deliveries/delivery-chart.tsx";
import { DestinationHealth } from "#app/(portal)/portal/(home)/teams/[teamId]/destination-health.tsx";
import { TeamFigures } from "#app/(portal)/portal/(home)/teams/[teamId]/team-figures.tsx";
import { useTeam } from "#app/(portal)/portal/(home)/use-team.ts";
import { useTRPC } from "#trpc/client.tsx";
import { Card, CardBody, CardHeader } from "#ui/card.tsx";
import { Notice } from "#ui/notice.tsx";
import { PageHeader } from "#ui/page-header.tsx";
import { RelativeTime } from "#ui/relative-time.tsx";

/** How a team's logging is doing, and, in the beginning, what to do next. */
export function OverviewScreen() {
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
      <ExpiringKeys teamId={teamId} />
      {isManager && <TeamFigures teamId={teamId} sums={counts.data ? sums : null} />}
      {isManager && !isDisabled && policy.data && keys.data && counts.data && sums.delivered === 0 && (
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
      {isManager && callbacks > 0 && (
        <div className="grid items-start gap-5 lg:grid-cols-[minmax(0,3fr)_minmax(0,2fr)]">
          <Card>
            <CardHeader title="Deliveries" />
            <CardBody>
              <DeliveryChart teamId={teamId} callbackId={null} />
            </CardBody>
          </Card>
          <DestinationHealth teamId={teamId} />
        </div>
      )}
    </>
  );
}

/** The keys that end within a week; nothing where there is none. */
function ExpiringKeys({ teamId }: { teamId: string }) {
  const { data: keys = [] } = useQuery(useTRPC().keys.expiring.queryOptions({ teamId }));
  if (keys.length === 0) return null;
  return (
    <Notice tone="warn" title={keys.length === 1 ? "A key ends soon" : `${String(keys.length)} keys end soon`}>
      <ul>
        {keys.map(({ token, name, expires }) => (
          <li key={token}>
            <Link href={teamPath(teamId, `keys/${token}`)} className="underline">
              {name}
            </Link>{" "}
            <RelativeTime iso={expires} />
          </li>
        ))}
      </ul>
    </Notice>
  );
}
