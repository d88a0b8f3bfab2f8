"use client";

import { History } from "lucide-react";
import { ChangeTable } from "#app/(portal)/portal/(home)/audit/change-table.tsx";
import { PageLinks } from "#app/(portal)/portal/(home)/page-links.tsx";
import { QueryState } from "#app/(portal)/portal/(home)/query-state.tsx";
import { useAddress } from "#app/(portal)/portal/(home)/use-address.ts";
import type { Outputs } from "#trpc/client.tsx";
import { Button } from "#ui/button.tsx";
import { Card } from "#ui/card.tsx";
import { EmptyState } from "#ui/empty-state.tsx";

type AuditCardProps = {
  query: { data: Outputs["audit"]["all"] | undefined; error: unknown; refetch: () => unknown };
  isFiltered: boolean;
};

/** A page of changes with the way to older ones. */
export function AuditCard({ query, isFiltered }: AuditCardProps) {
  const { change } = useAddress();
  return (
    <>
      <Card>
        {query.data === undefined ? (
          <QueryState query={query} />
        ) : query.data.changes.length === 0 ? (
          <EmptyState
            icon={History}
            title={isFiltered ? "Nothing here" : "No change yet"}
            action={
              isFiltered && (
                <Button onClick={() => change({ action: "", object: "", page: "" })}>Show all changes</Button>
              )
            }
          >
            {isFiltered ? "No change that was written down fits this." : "Every change is written down here, for good."}
          </EmptyState>
        ) : (
          <ChangeTable changes={query.data.changes} />
        )}
      </Card>
      <PageLinks pages={query.data?.pages ?? 1} />
    </>
  );
}
