import { cookies, headers } from "next/headers";
import type { ReactNode } from "react";
import { Shell } from "#app/(portal)/portal/(home)/shell.tsx";
import { switcherTeams, teamIdOf } from "#app/(portal)/portal/(home)/team-path.ts";
import { requirePageSession } from "#auth/page-session.ts";
import { Prefetched } from "#trpc/page-reads.tsx";
import { TimesProvider } from "#ui/times.tsx";
import { timesCookie } from "#ui/times-cookie.ts";

/** Everything behind the sign-in. What a page shows comes from procedures, which check the rights themselves. */
export default async function HomeLayout({ children }: { children: ReactNode }) {
  await requirePageSession();
  const teamId = teamIdOf((await headers()).get("x-sluice-path")?.split("?")[0] ?? "");
  const startsInUtc = (await cookies()).get(timesCookie)?.value === "utc";
  return (
    <TimesProvider renderedAt={Date.now()} startsInUtc={startsInUtc}>
      <Prefetched
        reads={({ trpc, read }) =>
          Promise.all([
            read(trpc.account.me.queryOptions()),
            read(trpc.teams.list.queryOptions(switcherTeams)),
            teamId !== null && read(trpc.teams.get.queryOptions({ teamId })),
          ])
        }
      >
        <Shell>{children}</Shell>
      </Prefetched>
    </TimesProvider>
  );
}
