import type { Metadata } from "next";
import { type PageProps, readPage } from "#app/(portal)/portal/(home)/read-page.ts";
import { MembersScreen } from "#app/(portal)/portal/(home)/teams/[teamId]/members/members-screen.tsx";
import { Prefetched } from "#trpc/page-reads.tsx";

/** The page's title. */
export const metadata: Metadata = { title: "Members" };

/** Who is in the team, and as what. */
export default async function MembersPage(props: PageProps) {
  const { teamId } = await readPage(props);
  return (
    <Prefetched
      reads={({ trpc, read }) =>
        Promise.all([read(trpc.teams.get.queryOptions({ teamId })), read(trpc.members.list.queryOptions({ teamId }))])
      }
    >
      <MembersScreen />
    </Prefetched>
  );
}
