"use client";

import { useQuery } from "@tanstack/react-query";
import { ListChecks } from "lucide-react";
import { usePathname, useRouter, useSearchParams } from "next/navigation";
import { QueryState } from "#app/(portal)/portal/(home)/query-state.tsx";
import { DeadLetterActions } from "#app/(portal)/portal/(home)/teams/[teamId]/deliveries/dead-letter-actions.tsx";
import { DeliveryTable } from "#app/(portal)/portal/(home)/teams/[teamId]/deliveries/delivery-table.tsx";
import { DeliveryFilters, toState } from "#app/(portal)/portal/(home)/teams/[teamId]/deliveries/delivery-filters.tsx";
import { useTeam } from "#app/(portal)/portal/(home)/use-team.ts";
import { useTRPC } from "#trpc/client.tsx";
import { Button } from "#ui/button.tsx";
import { Card } from "#ui/card.tsx";
import { EmptyState } from "#ui/empty-state.tsx";
import { PageHeader } from "#ui/page-header.tsx";

const refreshMs = 5_000;

/** What became of each log: found by the call's id, or listed. The address holds what is shown. */
export default function DeliveriesPage() {
  const { teamId, team } = useTeam();
  const router = useRouter();
  const pathname = usePathname();
  const given = useSearchParams();
  const trpc = useTRPC();
  const id = given.get("id") ?? "";
  const state = toState(given.get("state"));
  const callbackId = given.get("callback") ?? "";
  const cursor = given.get("cursor") ?? "";
  const query = {
    teamId,
    ...(state === "" ? {} : { state }),
    ...(callbackId === "" ? {} : { callback_id: callbackId }),
    ...(cursor === "" ? {} : { cursor }),
  };
  // Only the newest page changes by itself.
  const refetchInterval = cursor === "" ? refreshMs : (false as const);
  const list = useQuery(trpc.deliveries.list.queryOptions(query, { enabled: id === "", refetchInterval }));
  const found = useQuery(
    trpc.deliveries.find.queryOptions({ teamId, id }, { enabled: id !== "", refetchInterval: refreshMs }),
  );
  const shown = id === "" ? list.data?.deliveries : found.data?.deliveries;
  const mayManage = team.data?.mayManage === true;
  const isWhole = id === "" && state === "" && callbackId === "" && cursor === "";

  /** An empty value takes its name out of the address. */
  function go(changes: Record<string, string>): void {
    const address = new URLSearchParams(given);
    for (const [name, value] of Object.entries(changes)) {
      if (value === "") address.delete(name);
      else address.set(name, value);
    }
    router.push(`${pathname}?${address.toString()}`);
  }

  return (
    <>
      <PageHeader
        title="Deliveries"
        description="What became of each call's log, and what the destination said. The newest calls come first."
      >
        {mayManage && state === "dead" && id === "" && shown !== undefined && shown.length > 0 && (
          <DeadLetterActions
            selection={{ teamId, ...(callbackId === "" ? {} : { callback_id: callbackId }) }}
            what="all that failed"
          />
        )}
      </PageHeader>
      <DeliveryFilters teamId={teamId} id={id} state={state} callbackId={callbackId} onChange={go} />
      <Card>
        {shown === undefined ? (
          <QueryState query={id === "" ? list : found} />
        ) : shown.length === 0 ? (
          <EmptyState
            icon={ListChecks}
            title={isWhole ? "No delivery yet" : "Nothing here"}
            action={!isWhole && <Button onClick={() => router.push(pathname)}>Show all deliveries</Button>}
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
          <Button size="small" disabled={cursor === ""} onClick={() => go({ cursor: "" })}>
            Newest
          </Button>
          <Button
            size="small"
            disabled={!list.data?.next_cursor}
            onClick={() => go({ cursor: list.data?.next_cursor ?? "" })}
          >
            Older
          </Button>
        </nav>
      )}
    </>
  );
}
