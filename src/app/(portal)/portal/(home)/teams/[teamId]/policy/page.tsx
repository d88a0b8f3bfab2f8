import type { Metadata } from "next";
import { type PageProps, readPage } from "#app/(portal)/portal/(home)/read-page.ts";
import { PolicyScreen } from "#app/(portal)/portal/(home)/teams/[teamId]/policy/policy-screen.tsx";
import { Prefetched } from "#trpc/page-reads.tsx";

/** The page's title. */
export const metadata: Metadata = { title: "Logging policy" };

/** Whether the team's calls are logged, and how much of them leaves. */
export default async function PolicyPage(props: PageProps) {
  const { teamId } = await readPage(props);
  return (
    <Prefetched
      reads={({ trpc, read }) =>
        Promise.all([read(trpc.teams.get.queryOptions({ teamId })), read(trpc.policy.get.queryOptions({ teamId }))])
      }
    >
      <PolicyScreen />
    </Prefetched>
  );
}
