"use client";

import { useMutation, useQuery } from "@tanstack/react-query";
import { Activity, ArrowLeft, Trash2 } from "lucide-react";
import Link from "next/link";
import { useParams, useRouter } from "next/navigation";
import { useState } from "react";
import { CheckNotice } from "#app/(portal)/portal/(home)/check-notice.tsx";
import { QueryState } from "#app/(portal)/portal/(home)/query-state.tsx";
import { CallbackDeliveries } from "#app/(portal)/portal/(home)/teams/[teamId]/destinations/[callbackId]/callback-deliveries.tsx";
import { EditForm } from "#app/(portal)/portal/(home)/teams/[teamId]/destinations/[callbackId]/edit-form.tsx";
import { SendEarlier } from "#app/(portal)/portal/(home)/teams/[teamId]/destinations/[callbackId]/send-earlier.tsx";
import { teamPath } from "#app/(portal)/portal/(home)/team-path.ts";
import { useAct } from "#app/(portal)/portal/(home)/use-act.ts";
import { useTeam } from "#app/(portal)/portal/(home)/use-team.ts";
import { useTRPC } from "#trpc/client.tsx";
import { Button } from "#ui/button.tsx";
import { Card, CardBody, CardHeader } from "#ui/card.tsx";
import { Confirm } from "#ui/confirm.tsx";
import { PageHeader } from "#ui/page-header.tsx";

/** One destination: how it does, what it is set to, and the way to remove it. */
export function DestinationScreen() {
  const { teamId, team } = useTeam();
  const callbackId = String(useParams().callbackId);
  const trpc = useTRPC();
  const router = useRouter();
  const callback = useQuery(trpc.callbacks.get.queryOptions({ teamId, callbackId }));
  const kinds = useQuery(trpc.destinations.list.queryOptions());
  const { onError } = useAct()("");
  const check = useMutation(trpc.callbacks.check.mutationOptions({ onError }));
  const removed = useAct()("Destination removed");
  const remove = useMutation(trpc.callbacks.remove.mutationOptions({ onError: removed.onError }));
  const [isAsking, setAsking] = useState(false);
  if (!callback.data) return <QueryState query={callback} />;
  if (!kinds.data) return <QueryState query={kinds} />;
  const destination = kinds.data.find(({ name }) => name === callback.data.callback_name);
  const label = destination?.label ?? callback.data.callback_name;
  const mayManage = team.data?.mayManage === true;

  async function removeNow(): Promise<void> {
    await remove.mutateAsync({ teamId, callbackId });
    router.push(teamPath(teamId, "destinations"));
    await removed.onSuccess();
  }

  return (
    <>
      <PageHeader title={label} description={`Version ${String(callback.data.version)}, id ${callbackId}`}>
        <Button asChild kind="quiet">
          <Link href={teamPath(teamId, "destinations")}>
            <ArrowLeft aria-hidden />
            Destinations
          </Link>
        </Button>
        {mayManage && (
          <Button isPending={check.isPending} onClick={() => check.mutate({ teamId, callbackId })}>
            <Activity aria-hidden />
            Check now
          </Button>
        )}
      </PageHeader>
      {check.data && <CheckNotice check={check.data} />}
      <CallbackDeliveries teamId={teamId} callbackId={callbackId} mayManage={mayManage} />
      {destination && (
        <Card className="max-w-2xl">
          <CardHeader title="Settings" description="A masked secret stays as it is unless you write another one." />
          <CardBody>
            <EditForm
              key={callbackId}
              teamId={teamId}
              destination={destination}
              callback={callback.data}
              mayManage={mayManage}
            />
          </CardBody>
        </Card>
      )}
      {mayManage && (
        <div className="flex flex-wrap gap-2">
          <SendEarlier teamId={teamId} callbackId={callbackId} label={label} />
          <Button onClick={() => setAsking(true)}>
            <Trash2 aria-hidden />
            Remove destination
          </Button>
        </div>
      )}
      <Confirm
        isOpen={isAsking}
        onOpenChange={setAsking}
        title={`Remove ${label}?`}
        description="What still waits for it is not sent any more. Its stored secrets are deleted."
        action="Remove"
        typed={label}
        isPending={remove.isPending}
        onConfirm={() => void removeNow().catch(() => undefined)}
      />
    </>
  );
}
