"use client";

import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { QueryState } from "#app/(portal)/portal/(home)/query-state.tsx";
import { teamPath } from "#app/(portal)/portal/(home)/team-path.ts";
import { toMoney } from "#app/(portal)/portal/(home)/usage/amounts.ts";
import { DaysSelect, useDays, UsageReport } from "#app/(portal)/portal/(home)/usage/usage-report.tsx";
import { useTeam } from "#app/(portal)/portal/(home)/use-team.ts";
import { type Outputs, useTRPC } from "#trpc/client.tsx";
import { Button } from "#ui/button.tsx";
import { Card, CardBody } from "#ui/card.tsx";
import { Meter } from "#ui/meter.tsx";
import { PageHeader } from "#ui/page-header.tsx";

/** What the team's calls add up to, and how much of its budget is left. */
export default function TeamUsagePage() {
  const { teamId, team } = useTeam();
  const usage = useQuery(useTRPC().usage.ofTeam.queryOptions({ teamId, days: useDays() }));
  return (
    <>
      <PageHeader title="Usage" description="What the calls of this team's keys add up to, logged or not.">
        <DaysSelect />
      </PageHeader>
      {usage.data === undefined ? (
        <Card>
          <QueryState query={usage} />
        </Card>
      ) : (
        <UsageReport
          report={usage.data}
          keyLink={(token) => teamPath(teamId, `keys/${token}`)}
          start={
            <Button asChild>
              <Link href={teamPath(teamId, "keys")}>API keys</Link>
            </Button>
          }
        >
          {team.data && <Budget team={team.data} />}
        </UsageReport>
      )}
    </>
  );
}

function Budget({ team }: { team: Outputs["teams"]["get"] }) {
  const { spend, max_budget: budget, budget_reset_at: resetAt } = team;
  if (budget === null) return null;
  return (
    <Card>
      <CardBody>
        <Meter label="Budget" value={spend} max={budget} text={`${toMoney(spend)} of ${toMoney(budget)}`} />
        <p className="text-[0.8125rem] text-quiet">
          {resetAt ? `It begins anew on ${new Date(resetAt).toLocaleString()}. ` : "It does not begin anew by itself. "}
          Once it is used up, calls of the team&apos;s keys are refused.
        </p>
      </CardBody>
    </Card>
  );
}
