import type { Metadata } from "next";
import { type PageProps, readPage } from "#app/(portal)/portal/(home)/read-page.ts";
import { DestinationScreen } from "#app/(portal)/portal/(home)/teams/[teamId]/destinations/[callbackId]/destination-screen.tsx";
import { Prefetched } from "#trpc/page-reads.tsx";

/** The page's title. */
export const metadata: Metadata = { title: "Destination" };

/** One destination: how it does, what it is set to, and the way to remove it. */
export default async function DestinationPage(props: PageProps) {
  const { teamId, param } = await readPage(props);
  return (
    <Prefetched
      reads={({ trpc, read }) =>
        Promise.all([
          read(trpc.teams.get.queryOptions({ teamId })),
          read(trpc.callbacks.get.queryOptions({ teamId, callbackId: param("callbackId") })),
          read(trpc.destinations.list.queryOptions()),
          read(trpc.deliveries.counts.queryOptions({ teamId })),
          read(trpc.deliveries.chart.queryOptions({ teamId, callbackId: param("callbackId") })),
        ])
      }
    >
      <DestinationScreen />
    </Prefetched>
  );
}
