import type { Metadata } from "next";
import { type PageProps, readPage } from "#app/(portal)/portal/(home)/read-page.ts";
import { TeamUsageScreen } from "#app/(portal)/portal/(home)/teams/[teamId]/usage/team-usage-screen.tsx";
import { toDays } from "#app/(portal)/portal/(home)/usage/to-days.ts";
import { Prefetched } from "#trpc/page-reads.tsx";

/** The page's title. */
export const metadata: Metadata = { title: "Usage" };

/** What the team's calls add up to, and how much of its budget is left. */
export default async function TeamUsagePage(props: PageProps) {
  const { teamId, readAddress } = await readPage(props);
  return (
    <Prefetched
      reads={({ trpc, read }) =>
        Promise.all([
          read(trpc.teams.get.queryOptions({ teamId })),
          read(trpc.usage.ofTeam.queryOptions({ teamId, days: toDays(readAddress("days")) })),
        ])
      }
    >
      <TeamUsageScreen />
    </Prefetched>
  );
}
