import type { Metadata } from "next";
import { type PageProps, readPage } from "#app/(portal)/portal/(home)/read-page.ts";
import { DeliveriesScreen } from "#app/(portal)/portal/(home)/teams/[teamId]/deliveries/deliveries-screen.tsx";
import { readDeliveryAddress } from "#app/(portal)/portal/(home)/teams/[teamId]/deliveries/delivery-address.ts";
import { Prefetched } from "#trpc/page-reads.tsx";

/** The page's title. */
export const metadata: Metadata = { title: "Deliveries" };

/** What became of each log. A range of hours is counted by the browser's clock, so that list is left to it. */
export default async function DeliveriesPage(props: PageProps) {
  const { teamId, readAddress } = await readPage(props);
  const { id, within, narrower, page } = readDeliveryAddress(teamId, readAddress);
  return (
    <Prefetched
      reads={({ trpc, read }) =>
        Promise.all([
          read(trpc.teams.get.queryOptions({ teamId })),
          read(trpc.callbacks.list.queryOptions({ teamId })),
          id !== ""
            ? read(trpc.deliveries.find.queryOptions({ teamId, id }))
            : within === "" && read(trpc.deliveries.list.queryOptions({ ...narrower, ...page })),
        ])
      }
    >
      <DeliveriesScreen />
    </Prefetched>
  );
}
