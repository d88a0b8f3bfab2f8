"use client";

import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import type { ReactNode } from "react";
import { teamPath } from "#app/(portal)/portal/(home)/team-path.ts";
import {
  DeadLetterActions,
  SendNow,
} from "#app/(portal)/portal/(home)/teams/[teamId]/deliveries/dead-letter-actions.tsx";
import { DeliveryChart } from "#app/(portal)/portal/(home)/teams/[teamId]/deliveries/delivery-chart.tsx";
import { DeliveryTable } from "#app/(portal)/portal/(home)/teams/[teamId]/deliveries/delivery-table.tsx";
import { DeliveryBadge } from "#app/(portal)/portal/(home)/teams/[teamId]/destinations/callback-words.tsx";
import { type Outputs, useTRPC } from "#trpc/client.tsx";
import { Button } from "#ui/button.tsx";
import { Card, CardBody, CardHeader } from "#ui/card.tsx";
import { Notice } from "#ui/notice.tsx";

type CallbackDeliveriesProps = { teamId: string; callbackId: string; mayManage: boolean };

const stateWords = { delivered: "Delivered", pending: "Waiting", dead: "Failed", suppressed: "Suppressed" } as const;
const shownMax = 8;

/** How one destination does: figures, the course of time, what it said last, and the way to send again what it refused. */
export function CallbackDeliveries({ teamId, callbackId, mayManage }: CallbackDeliveriesProps) {
  const trpc = useTRPC();
  const refetchInterval = 5_000;
  const counts = useQuery(trpc.deliveries.counts.queryOptions({ teamId }, { refetchInterval }));
  const list = useQuery(trpc.deliveries.list.queryOptions({ teamId, callback_id: callbackId }, { refetchInterval }));
  const own = counts.data?.find((row) => row.callback_id === callbackId);
  const of = { teamId, callback_id: callbackId };
  // What was refused may lie far behind what was delivered since.
  const isRefusing = (own?.dead ?? 0) > 0;
  const dead = useQuery(trpc.deliveries.list.queryOptions({ ...of, state: "dead" }, { enabled: isRefusing }));
  const newest = list.data?.deliveries.slice(0, shownMax) ?? [];
  return (
    <>
      <Trouble
        deliveries={[...(dead.data?.deliveries ?? []), ...(list.data?.deliveries ?? [])]}
        dead={own?.dead ?? 0}
        pending={own?.pending ?? 0}
      >
        {mayManage && isRefusing && <DeadLetterActions selection={of} what="all that failed at this destination" />}
        {mayManage && !isRefusing && <SendNow selection={of} what="all that wait for this destination" />}
      </Trouble>
      <Card>
        <CardHeader title="Deliveries" description="What the gateway still keeps of them; contents go once delivered.">
          <DeliveryBadge counts={own} />
        </CardHeader>
        <dl className="grid grid-cols-2 gap-px border-b sm:grid-cols-4">
          {(["delivered", "pending", "dead", "suppressed"] as const).map((state) => (
            <div key={state} className="grid gap-0.5 px-4 py-3 sm:px-5">
              <dt className="text-[0.8125rem] text-quiet">{stateWords[state]}</dt>
              <dd className="text-xl font-semibold tabular-nums">{own?.[state] ?? 0}</dd>
            </div>
          ))}
        </dl>
        <CardBody>
          <DeliveryChart teamId={teamId} callbackId={callbackId} />
        </CardBody>
      </Card>
      {newest.length > 0 && (
        <Card>
          <CardHeader title="Recent deliveries">
            <Button asChild size="small">
              <Link href={teamPath(teamId, `deliveries?callback=${encodeURIComponent(callbackId)}`)}>
                All deliveries
              </Link>
            </Button>
          </CardHeader>
          <DeliveryTable teamId={teamId} deliveries={newest} mayManage={mayManage} />
        </Card>
      )}
    </>
  );
}

type TroubleProps = {
  deliveries: readonly Outputs["deliveries"]["list"]["deliveries"][number][];
  dead: number;
  pending: number;
  children: ReactNode;
};

/** What is wrong with the destination in its own words, and what can be done; nothing where it takes its logs. */
function Trouble({ deliveries, dead, pending, children }: TroubleProps) {
  const waiting = deliveries.find(({ state }) => state === "retrying");
  const failed = deliveries.find(({ state }) => state === "dead");
  if (dead > 0) {
    return (
      <Notice tone="bad" title={`${String(dead)} ${dead === 1 ? "log" : "logs"} not taken`}>
        <p>{failed?.message || "Why is in the list of deliveries."}</p>
        <div className="flex flex-wrap gap-2 pt-2">{children}</div>
      </Notice>
    );
  }
  if (!waiting || pending === 0) return null;
  return (
    <Notice tone="warn" title={`${String(pending)} ${pending === 1 ? "log waits" : "logs wait"} to be taken`}>
      <p>{waiting.message || "The destination did not answer."}</p>
      <p className="text-quiet">They are tried again by themselves, and at once when the settings below are saved.</p>
      <div className="flex flex-wrap gap-2 pt-2">{children}</div>
    </Notice>
  );
}
