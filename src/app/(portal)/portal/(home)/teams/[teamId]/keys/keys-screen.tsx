"use client";

import { useQuery } from "@tanstack/react-query";
import { KeyRound, Plus } from "lucide-react";
import Link from "next/link";
import { useState } from "react";
import { PageLinks, usePage } from "#app/(portal)/portal/(home)/page-links.tsx";
import { QueryState } from "#app/(portal)/portal/(home)/query-state.tsx";
import { teamPath } from "#app/(portal)/portal/(home)/team-path.ts";
import { KeyBadge } from "#app/(portal)/portal/(home)/teams/[teamId]/keys/key-badge.tsx";
import { budgetOf } from "#app/(portal)/portal/(home)/teams/[teamId]/keys/key-facts.tsx";
import { NewKey } from "#app/(portal)/portal/(home)/teams/[teamId]/keys/new-key.tsx";
import { toMoney } from "#app/(portal)/portal/(home)/usage/amounts.ts";
import { useAddress } from "#app/(portal)/portal/(home)/use-address.ts";
import { useTeam } from "#app/(portal)/portal/(home)/use-team.ts";
import { useTRPC } from "#trpc/client.tsx";
import { Button } from "#ui/button.tsx";
import { Card } from "#ui/card.tsx";
import { EmptyState } from "#ui/empty-state.tsx";
import { Input } from "#ui/input.tsx";
import { PageHeader } from "#ui/page-header.tsx";
import { RelativeTime } from "#ui/relative-time.tsx";
import { Cell, Row, Table } from "#ui/table.tsx";

/** The keys with which a team's applications call the gateway. The address holds the search and the page. */
export function KeysScreen() {
  const { teamId, team } = useTeam();
  const { read, change } = useAddress();
  const search = read("search");
  const page = usePage();
  const keys = useQuery(useTRPC().keys.list.queryOptions({ teamId, search, page }));
  const [isOpen, setOpen] = useState(false);
  const add = team.data?.mayManage && (
    <Button kind="primary" onClick={() => setOpen(true)}>
      <Plus aria-hidden />
      New key
    </Button>
  );
  const isEmpty = keys.data?.total === 0 && search === "";
  return (
    <>
      <PageHeader
        title="API keys"
        description="Applications call the gateway with them; each call is logged as the team's."
      >
        {!isEmpty && add}
      </PageHeader>
      {!isEmpty && (
        <Input
          type="search"
          aria-label="Search keys"
          placeholder="Search by name or ending"
          className="max-w-xs"
          defaultValue={search}
          onChange={(event) => change({ search: event.target.value, page: "" })}
        />
      )}
      <Card>
        {keys.data === undefined ? (
          <QueryState query={keys} />
        ) : isEmpty ? (
          <EmptyState icon={KeyRound} title="No key yet" action={add}>
            A key is shown once, when it is made. The gateway keeps only its hash.
          </EmptyState>
        ) : keys.data.keys.length === 0 ? (
          <EmptyState icon={KeyRound} title="Nothing here">
            No key of this team has this in its name or ending.
          </EmptyState>
        ) : (
          <Table label="API keys" head={["Name", "Key", "State", "Cost", "Made", "Expires"]}>
            {keys.data.keys.map((key) => (
              <Row key={key.token}>
                <Cell className="min-w-40">
                  <Link href={teamPath(teamId, `keys/${key.token}`)} className="font-medium hover:underline">
                    {key.key_alias ?? "Unnamed key"}
                  </Link>
                </Cell>
                <Cell className="font-mono text-[0.8125rem] whitespace-nowrap">{key.key_name}</Cell>
                <Cell>
                  <KeyBadge apiKey={key} />
                </Cell>
                <Cell className="tabular-nums">
                  {toMoney(key.spend)}
                  {key.max_budget !== null && <p className="text-xs text-quiet">{budgetOf(key)}</p>}
                </Cell>
                <Cell>
                  <RelativeTime iso={key.created_at} />
                </Cell>
                <Cell>{key.expires === null ? "Never" : <RelativeTime iso={key.expires} />}</Cell>
              </Row>
            ))}
          </Table>
        )}
      </Card>
      <PageLinks pages={keys.data?.pages ?? 1} />
      <NewKey teamId={teamId} isOpen={isOpen} onOpenChange={setOpen} />
    </>
  );
}
