"use client";

import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { teamPath } from "#app/(portal)/portal/(home)/team-path.ts";
import { DeliveryBadge, targetOf } from "#app/(portal)/portal/(home)/teams/[teamId]/destinations/callback-words.tsx";
import { useTRPC } from "#trpc/client.tsx";
import { Card, CardHeader } from "#ui/card.tsx";

/** Each of the team's destinations with how it does. Nothing without one. */
export function DestinationHealth({ teamId }: { teamId: string }) {
  const trpc = useTRPC();
  const callbacks = useQuery(trpc.callbacks.list.queryOptions({ teamId }));
  const kinds = useQuery(trpc.destinations.list.queryOptions());
  const counts = useQuery(trpc.deliveries.counts.queryOptions({ teamId }, { refetchInterval: 5_000 }));
  if (!callbacks.data || callbacks.data.length === 0) return null;
  const labels = new Map(kinds.data?.map(({ name, label }) => [name, label]));
  return (
    <Card>
      <CardHeader title="Destinations" />
      <ul className="divide-y">
        {callbacks.data.map((callback) => {
          const own = counts.data?.find(({ callback_id }) => callback_id === callback.callback_id);
          return (
            <li key={callback.callback_id}>
              <Link
                href={teamPath(teamId, `destinations/${callback.callback_id}`)}
                className="flex flex-wrap items-center justify-between gap-x-4 gap-y-1 px-4 py-2.5 hover:bg-sunken/60 sm:px-5"
              >
                <span className="grid min-w-0">
                  <span className="font-medium">{labels.get(callback.callback_name) ?? callback.callback_name}</span>
                  <span className="truncate text-xs text-quiet">{targetOf(callback)}</span>
                </span>
                <DeliveryBadge counts={own} />
              </Link>
            </li>
          );
        })}
      </ul>
    </Card>
  );
}
