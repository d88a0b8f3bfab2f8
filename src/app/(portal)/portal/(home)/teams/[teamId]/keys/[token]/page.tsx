import type { Metadata } from "next";
import { type PageProps, readPage } from "#app/(portal)/portal/(home)/read-page.ts";
import { KeyScreen } from "#app/(portal)/portal/(home)/teams/[teamId]/keys/[token]/key-screen.tsx";
import { Prefetched } from "#trpc/page-reads.tsx";

/** The page's title. */
export const metadata: Metadata = { title: "API key" };

/** One key: where its calls are logged, whether that works, and the ways to change or end it. */
export default async function KeyPage(props: PageProps) {
  const { teamId, param } = await readPage(props);
  return (
    <Prefetched
      reads={({ trpc, read }) =>
        Promise.all([
          read(trpc.teams.get.queryOptions({ teamId })),
          read(trpc.keys.get.queryOptions({ key: param("token") })),
          read(trpc.keys.logging.queryOptions({ key: param("token") })),
        ])
      }
    >
      <KeyScreen />
    </Prefetched>
  );
}
