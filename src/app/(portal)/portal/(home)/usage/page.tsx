import type { Metadata } from "next";
import { type PageProps, readPage } from "#app/(portal)/portal/(home)/read-page.ts";
import { AllUsageScreen } from "#app/(portal)/portal/(home)/usage/all-usage-screen.tsx";
import { toDays } from "#app/(portal)/portal/(home)/usage/to-days.ts";
import { Prefetched } from "#trpc/page-reads.tsx";

/** The page's title. */
export const metadata: Metadata = { title: "All usage" };

/** What all teams' calls add up to. */
export default async function AllUsagePage(props: PageProps) {
  const { readAddress } = await readPage(props);
  return (
    <Prefetched reads={({ trpc, read }) => read(trpc.usage.all.queryOptions({ days: toDays(readAddress("days")) }))}>
      <AllUsageScreen />
    </Prefetched>
  );
}
