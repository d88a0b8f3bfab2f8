import type { Metadata } from "next";
import { type PageProps, readPage } from "#app/(portal)/portal/(home)/read-page.ts";
import { TeamsScreen } from "#app/(portal)/portal/(home)/teams/teams-screen.tsx";
import { toPage } from "#app/(portal)/portal/(home)/to-page.ts";
import { Prefetched } from "#trpc/page-reads.tsx";

/** The page's title. */
export const metadata: Metadata = { title: "Teams" };

/** The teams that one may look into. */
export default async function TeamsPage(props: PageProps) {
  const { readAddress } = await readPage(props);
  return (
    <Prefetched
      reads={({ trpc, read }) =>
        read(trpc.teams.page.queryOptions({ search: readAddress("search"), page: toPage(readAddress("page")) }))
      }
    >
      <TeamsScreen />
    </Prefetched>
  );
}
