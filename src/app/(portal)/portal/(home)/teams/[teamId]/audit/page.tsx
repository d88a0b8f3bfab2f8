import type { Metadata } from "next";
import { type PageProps, readPage } from "#app/(portal)/portal/(home)/read-page.ts";
import { TeamAuditScreen } from "#app/(portal)/portal/(home)/teams/[teamId]/audit/team-audit-screen.tsx";
import { toPage } from "#app/(portal)/portal/(home)/to-page.ts";
import { toAction } from "#app/(portal)/portal/(home)/audit/audit-words.ts";
import { Prefetched } from "#trpc/page-reads.tsx";

/** The page's title. */
export const metadata: Metadata = { title: "Audit log" };

/** Who changed what of the team. */
export default async function TeamAuditPage(props: PageProps) {
  const { teamId, readAddress } = await readPage(props);
  const action = toAction(readAddress("action"));
  return (
    <Prefetched
      reads={({ trpc, read }) =>
        Promise.all([
          read(
            trpc.audit.ofTeam.queryOptions({
              teamId,
              page: toPage(readAddress("page")),
              ...(action ? { action } : {}),
            }),
          ),
          read(trpc.teams.get.queryOptions({ teamId })),
        ])
      }
    >
      <TeamAuditScreen />
    </Prefetched>
  );
}
