import type { Metadata } from "next";
import { type PageProps, readPage } from "#app/(portal)/portal/(home)/read-page.ts";
import { DestinationsScreen } from "#app/(portal)/portal/(home)/teams/[teamId]/destinations/destinations-screen.tsx";
import { Prefetched } from "#trpc/page-reads.tsx";

/** The page's title. */
export const metadata: Metadata = { title: "Destinations" };

/** Where the team's logs go. */
export default async function DestinationsPage(props: PageProps) {
  const { teamId } = await readPage(props);
  return (
    <Prefetched
      reads={({ trpc, read }) =>
        Promise.all([
          read(trpc.teams.get.queryOptions({ teamId })),
          read(trpc.callbacks.list.queryOptions({ teamId })),
          read(trpc.destinations.list.queryOptions()),
          read(trpc.deliveries.counts.queryOptions({ teamId })),
        ])
      }
    >
      <DestinationsScreen />
    </Prefetched>
  );
}
