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
import { useTimes } from "#ui/times.tsx";

/** What the team's calls add up to, and how much of its budget is left. */
export function TeamUsageScreen() {
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
  const { timeZone } = useTimes();
  if (budget === null) return null;
  return (
    <Card>
      <CardBody>
        <Meter label="Budget" value={spend} max={budget} text={`${toMoney(spend)} of ${toMoney(budget)}`} />
        <p className="text-[0.8125rem] text-quiet">
          {resetAt ? `It begins anew on ${toTime(resetAt, timeZone)}. ` : "It does not begin anew by itself. "}
          Once it is used up, calls of the team&apos;s keys are refused.
        </p>
      </CardBody>
    </Card>
  );
}

function toTime(iso: string, timeZone: string | undefined): string {
  const style = { dateStyle: "medium", timeStyle: "short", hourCycle: "h23" } as const;
  const time = new Date(iso).toLocaleString("en", { ...style, timeZone });
  return timeZone === undefined ? time : `${time} ${timeZone}`;
}
