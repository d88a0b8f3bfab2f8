import type { Metadata } from "next";
import { type PageProps, readPage } from "#app/(portal)/portal/(home)/read-page.ts";
import { OverviewScreen } from "#app/(portal)/portal/(home)/teams/[teamId]/overview-screen.tsx";
import { type PageReads, Prefetched } from "#trpc/page-reads.tsx";

/** The page's title. */
export const metadata: Metadata = { title: "Overview" };

/** How a team's logging is doing, and, in the beginning, what to do next. */
export default async function OverviewPage(props: PageProps) {
  const { teamId } = await readPage(props);
  return (
    <Prefetched reads={(page) => readOverview(page, teamId)}>
      <OverviewScreen />
    </Prefetched>
  );
}

/** Only who manages the team sees, and asks for, more than its keys. */
async function readOverview({ trpc, read }: PageReads, teamId: string): Promise<void> {
  const keys = [read(trpc.keys.list.queryOptions({ teamId })), read(trpc.keys.expiring.queryOptions({ teamId }))];
  const team = await read(trpc.teams.get.queryOptions({ teamId }));
  await Promise.all(keys);
  if (!team?.mayManage) return;
  await Promise.all([
    read(trpc.policy.get.queryOptions({ teamId })),
    read(trpc.deliveries.counts.queryOptions({ teamId })),
    read(trpc.usage.ofTeam.queryOptions({ teamId, days: 7 })),
    read(trpc.deliveries.chart.queryOptions({ teamId, callbackId: null })),
    read(trpc.callbacks.list.queryOptions({ teamId })),
    read(trpc.destinations.list.queryOptions()),
  ]);
}
