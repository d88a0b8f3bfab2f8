"use client";

import { useMutation, useQuery } from "@tanstack/react-query";
import { Activity, ArrowLeft } from "lucide-react";
import Link from "next/link";
import { useParams, useRouter } from "next/navigation";
import { useState } from "react";
import { CheckNotice } from "#app/(portal)/portal/(home)/check-notice.tsx";
import { EffectiveList } from "#app/(portal)/portal/(home)/effective-list.tsx";
import { QueryState } from "#app/(portal)/portal/(home)/query-state.tsx";
import { teamPath } from "#app/(portal)/portal/(home)/team-path.ts";
import { KeyBadge } from "#app/(portal)/portal/(home)/teams/[teamId]/keys/key-badge.tsx";
import { KeyFacts } from "#app/(portal)/portal/(home)/teams/[teamId]/keys/key-facts.tsx";
import { EditKey } from "#app/(portal)/portal/(home)/teams/[teamId]/keys/[token]/edit-key.tsx";
import { RotateKey } from "#app/(portal)/portal/(home)/teams/[teamId]/keys/[token]/rotate-key.tsx";
import { useAct } from "#app/(portal)/portal/(home)/use-act.ts";
import { useTeam } from "#app/(portal)/portal/(home)/use-team.ts";
import { useTRPC } from "#trpc/client.tsx";
import { Button } from "#ui/button.tsx";
import { Card, CardBody, CardHeader } from "#ui/card.tsx";
import { Confirm } from "#ui/confirm.tsx";
import { Notice } from "#ui/notice.tsx";
import { PageHeader } from "#ui/page-header.tsx";

/** One key: where its calls are logged, whether that works, and the ways to change or end it. */
export function KeyScreen() {
  const { teamId, team } = useTeam();
  const key = String(useParams().token);
  const router = useRouter();
  const trpc = useTRPC();
  const row = useQuery(trpc.keys.get.queryOptions({ key }));
  const logging = useQuery(trpc.keys.logging.queryOptions({ key }));
  const { onError } = useAct()("");
  const check = useMutation(trpc.keys.check.mutationOptions({ onError }));
  const block = useMutation(
    trpc.keys.block.mutationOptions(useAct()(row.data?.blocked ? "Key unblocked" : "Key blocked")),
  );
  const deleted = useAct()("Key deleted");
  const remove = useMutation(trpc.keys.delete.mutationOptions({ onError: deleted.onError }));
  const [isAsking, setAsking] = useState(false);
  if (!row.data) return <QueryState query={row} />;
  const name = row.data.key_alias ?? row.data.key_name;
  const isBlocked = row.data.blocked === true;

  async function removeNow(): Promise<void> {
    await remove.mutateAsync({ key });
    router.push(teamPath(teamId, "keys"));
    await deleted.onSuccess();
  }

  return (
    <>
      <PageHeader title={name} description={row.data.key_name}>
        <KeyBadge apiKey={row.data} />
        <Button asChild kind="quiet">
          <Link href={teamPath(teamId, "keys")}>
            <ArrowLeft aria-hidden />
            API keys
          </Link>
        </Button>
      </PageHeader>
      <KeyFacts apiKey={row.data} />
      <Card>
        <CardHeader title="Health" description="Asks every destination that this key's calls are logged to, now.">
          {team.data?.mayManage && (
            <Button isPending={check.isPending} onClick={() => check.mutate({ key })}>
              <Activity aria-hidden />
              Run health check
            </Button>
          )}
        </CardHeader>
        <CardBody>
          {check.data?.destinations.map((found) => (
            <CheckNotice key={found.callback_id} check={found} label={found.callback_name} />
          ))}
          {check.data?.destinations.length === 0 && <Notice tone="plain">{check.data.reason}</Notice>}
          {logging.data ? <EffectiveList effective={logging.data} /> : <QueryState query={logging} />}
        </CardBody>
      </Card>
      {team.data?.mayManage && (
        <Card>
          <CardHeader title="Change or end it" description="Name, budget, spend and logging stay with a rotated key." />
          <CardBody>
            <div className="flex flex-wrap gap-2">
              <EditKey token={key} apiKey={row.data} />
              <RotateKey teamId={teamId} apiKey={key} />
              <Button isPending={block.isPending} onClick={() => block.mutate({ key, blocked: !isBlocked })}>
                {isBlocked ? "Unblock" : "Block"}
              </Button>
              <Button onClick={() => setAsking(true)}>Delete key</Button>
            </div>
          </CardBody>
        </Card>
      )}
      <Confirm
        isOpen={isAsking}
        onOpenChange={setAsking}
        title={`Delete ${name}?`}
        description="Applications that use it are refused from their next call on."
        action="Delete key"
        typed={name}
        isPending={remove.isPending}
        onConfirm={() => void removeNow().catch(() => undefined)}
      />
    </>
  );
}
