"use client";

import { useQuery } from "@tanstack/react-query";
import { QueryState } from "#app/(portal)/portal/(home)/query-state.tsx";
import { teamPath } from "#app/(portal)/portal/(home)/team-path.ts";
import { DaysSelect, useDays, UsageReport } from "#app/(portal)/portal/(home)/usage/usage-report.tsx";
import { UsageTable } from "#app/(portal)/portal/(home)/usage/usage-table.tsx";
import { useTRPC } from "#trpc/client.tsx";
import { Card } from "#ui/card.tsx";
import { PageHeader } from "#ui/page-header.tsx";

/** What all teams' calls add up to. */
export function AllUsageScreen() {
  const usage = useQuery(useTRPC().usage.all.queryOptions({ days: useDays() }));
  return (
    <>
      <PageHeader title="Usage" description="What the calls of all teams add up to.">
        <DaysSelect />
      </PageHeader>
      {usage.data === undefined ? (
        <Card>
          <QueryState query={usage} />
        </Card>
      ) : (
        <UsageReport report={usage.data} keyLink={null}>
          <UsageTable
            title="By team"
            of="Team"
            rows={usage.data.teams.map(({ team_id, team_alias, ...figures }) => ({
              id: team_id,
              name: team_id === "" ? "Keys of no team" : (team_alias ?? team_id),
              href: team_id === "" ? null : teamPath(team_id, "usage"),
              ...figures,
            }))}
          />
        </UsageReport>
      )}
    </>
  );
}
