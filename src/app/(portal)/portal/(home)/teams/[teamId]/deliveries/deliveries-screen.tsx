"use client";

import { useQuery } from "@tanstack/react-query";
import { ListChecks } from "lucide-react";
import { useMemo } from "react";
import { QueryState } from "#app/(portal)/portal/(home)/query-state.tsx";
import {
  DeadLetterActions,
  SendNow,
} from "#app/(portal)/portal/(home)/teams/[teamId]/deliveries/dead-letter-actions.tsx";
import { DeliveryTable } from "#app/(portal)/portal/(home)/teams/[teamId]/deliveries/delivery-table.tsx";
import {
  noFilters,
  readDeliveryAddress,
  toFrom,
} from "#app/(portal)/portal/(home)/teams/[teamId]/deliveries/delivery-address.ts";
import { DeliveryFilters } from "#app/(portal)/portal/(home)/teams/[teamId]/deliveries/delivery-filters.tsx";
import { useAddress } from "#app/(portal)/portal/(home)/use-address.ts";
import { useTeam } from "#app/(portal)/portal/(home)/use-team.ts";
import { useTRPC } from "#trpc/client.tsx";
import { Button } from "#ui/button.tsx";
import { Card } from "#ui/card.tsx";
import { EmptyState } from "#ui/empty-state.tsx";
import { PageHeader } from "#ui/page-header.tsx";

const refreshMs = 5_000;

/** What became of each log: found by the call's id, or listed. The address holds what is shown. */
export function DeliveriesScreen() {
  const { teamId, team } = useTeam();
  const { read, isEmpty: isWhole, visit } = useAddress();
  const trpc = useTRPC();
  const { id, callbackId, cursor, state, within, errorClass, narrower, page } = readDeliveryAddress(teamId, read);
  // Counted from when it was chosen, so that a list which is read again stays the same list.
  const from = useMemo(() => toFrom(within), [within]);
  const selection = { ...narrower, ...(from === undefined ? {} : { from }) };
  const query = { ...selection, ...page };
  // Only the newest page changes by itself.
  const refetchInterval = cursor === "" ? refreshMs : (false as const);
  const list = useQuery(trpc.deliveries.list.queryOptions(query, { enabled: id === "", refetchInterval }));
  const found = useQuery(
    trpc.deliveries.find.queryOptions({ teamId, id }, { enabled: id !== "", refetchInterval: refreshMs }),
  );
  const shown = id === "" ? list.data?.deliveries : found.data?.deliveries;
  const mayManage = team.data?.mayManage === true;
  const isNarrowed = callbackId !== "" || errorClass !== undefined || from !== undefined;

  return (
    <>
      <PageHeader
        title="Deliveries"
        description="What became of each call's log, and what the destination said. The newest calls come first."
      >
        {mayManage && state === "dead" && id === "" && shown !== undefined && shown.length > 0 && (
          <DeadLetterActions
            selection={selection}
            what={isNarrowed ? "all that failed and fit the filters" : "all that failed"}
          />
        )}
        {mayManage && state === "pending" && id === "" && shown !== undefined && shown.length > 0 && (
          <SendNow selection={selection} what={isNarrowed ? "all that wait and fit the filters" : "all that wait"} />
        )}
      </PageHeader>
      <DeliveryFilters
        {...{ teamId, id, state, callbackId }}
        answer={errorClass ?? ""}
        within={within}
        onChange={visit}
      />
      <Card>
        {shown === undefined ? (
          <QueryState query={id === "" ? list : found} />
        ) : shown.length === 0 ? (
          <EmptyState
            icon={ListChecks}
            title={isWhole ? "No delivery yet" : "Nothing here"}
            action={!isWhole && <Button onClick={() => visit(noFilters)}>Show all deliveries</Button>}
          >
            {isWhole
              ? "Each call of the team's keys appears here, once for every destination that its log goes to."
              : "No delivery that the gateway still keeps fits this."}
          </EmptyState>
        ) : (
          <DeliveryTable teamId={teamId} deliveries={shown} mayManage={mayManage} />
        )}
      </Card>
      {id === "" && (cursor !== "" || list.data?.next_cursor) && (
        <nav aria-label="Pages" className="flex items-center justify-end gap-2">
          <Button size="small" disabled={cursor === ""} onClick={() => visit({ cursor: "" })}>
            Newest
          </Button>
          <Button
            size="small"
            disabled={!list.data?.next_cursor}
            onClick={() => visit({ cursor: list.data?.next_cursor ?? "" })}
          >
            Older
          </Button>
        </nav>
      )}
    </>
  );
}
