import type { Metadata } from "next";
import { type PageProps, readPage } from "#app/(portal)/portal/(home)/read-page.ts";
import { KeysScreen } from "#app/(portal)/portal/(home)/teams/[teamId]/keys/keys-screen.tsx";
import { toPage } from "#app/(portal)/portal/(home)/to-page.ts";
import { Prefetched } from "#trpc/page-reads.tsx";

/** The page's title. */
export const metadata: Metadata = { title: "API keys" };

/** The keys with which a team's applications call the gateway. */
export default async function KeysPage(props: PageProps) {
  const { teamId, readAddress } = await readPage(props);
  return (
    <Prefetched
      reads={({ trpc, read }) =>
        Promise.all([
          read(trpc.teams.get.queryOptions({ teamId })),
          read(
            trpc.keys.list.queryOptions({ teamId, search: readAddress("search"), page: toPage(readAddress("page")) }),
          ),
        ])
      }
    >
      <KeysScreen />
    </Prefetched>
  );
}
