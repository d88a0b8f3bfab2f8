import type { Metadata } from "next";
import { NewDestinationScreen } from "#app/(portal)/portal/(home)/teams/[teamId]/destinations/new/new-destination-screen.tsx";
import { Prefetched } from "#trpc/page-reads.tsx";

/** The page's title. */
export const metadata: Metadata = { title: "Add a destination" };

/** Choose a kind, then fill in its form. */
export default function NewDestinationPage() {
  return (
    <Prefetched reads={({ trpc, read }) => read(trpc.destinations.list.queryOptions())}>
      <NewDestinationScreen />
    </Prefetched>
  );
}
