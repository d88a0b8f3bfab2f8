"use client";

import { useQuery } from "@tanstack/react-query";
import { Plus, Send } from "lucide-react";
import Link from "next/link";
import { QueryState } from "#app/(portal)/portal/(home)/query-state.tsx";
import {
  DeliveryBadge,
  firesOn,
  targetOf,
} from "#app/(portal)/portal/(home)/teams/[teamId]/destinations/callback-words.tsx";
import { teamPath } from "#app/(portal)/portal/(home)/team-path.ts";
import { useTeam } from "#app/(portal)/portal/(home)/use-team.ts";
import { useTRPC } from "#trpc/client.tsx";
import { Button } from "#ui/button.tsx";
import { Card } from "#ui/card.tsx";
import { EmptyState } from "#ui/empty-state.tsx";
import { PageHeader } from "#ui/page-header.tsx";
import { Cell, Row, Table } from "#ui/table.tsx";

/** Where the team's logs go. */
export function DestinationsScreen() {
  const { teamId, team } = useTeam();
  const trpc = useTRPC();
  const callbacks = useQuery(trpc.callbacks.list.queryOptions({ teamId }));
  const kinds = useQuery(trpc.destinations.list.queryOptions());
  const counts = useQuery(trpc.deliveries.counts.queryOptions({ teamId }, { refetchInterval: 5_000 }));
  const labels = new Map(kinds.data?.map(({ name, label }) => [name, label]));
  const add = team.data?.mayManage && (
    <Button asChild kind="primary">
      <Link href={teamPath(teamId, "destinations/new")}>
        <Plus aria-hidden />
        Add destination
      </Link>
    </Button>
  );
  return (
    <>
      <PageHeader title="Destinations" description="Every call of the team's keys is logged to each of these.">
        {callbacks.data && callbacks.data.length > 0 && add}
      </PageHeader>
      <Card>
        {callbacks.data === undefined ? (
          <QueryState query={callbacks} />
        ) : callbacks.data.length === 0 ? (
          <EmptyState icon={Send} title="No destination yet" action={add}>
            The team&apos;s logs go to the gateway&apos;s default destination, or nowhere, until you add one of your
            own.
          </EmptyState>
        ) : (
          <Table label="Destinations" head={["Destination", "State", "Fires on", "Delivered", "Waiting", "Failed"]}>
            {callbacks.data.map((callback) => {
              const own = counts.data?.find(({ callback_id }) => callback_id === callback.callback_id);
              return (
                <Row key={callback.callback_id}>
                  <Cell className="min-w-48">
                    <Link
                      href={teamPath(teamId, `destinations/${callback.callback_id}`)}
                      className="font-medium hover:underline"
                    >
                      {labels.get(callback.callback_name) ?? callback.callback_name}
                    </Link>
                    <p className="max-w-72 truncate text-xs text-quiet">{targetOf(callback)}</p>
                  </Cell>
                  <Cell>
                    <DeliveryBadge counts={own} />
                  </Cell>
                  <Cell className="whitespace-nowrap text-quiet">{firesOn(callback.callback_type)}</Cell>
                  <Cell className="tabular-nums">{own?.delivered ?? 0}</Cell>
                  <Cell className="tabular-nums">{own?.pending ?? 0}</Cell>
                  <Cell className="tabular-nums">{own?.dead ?? 0}</Cell>
                </Row>
              );
            })}
          </Table>
        )}
      </Card>
    </>
  );
}
