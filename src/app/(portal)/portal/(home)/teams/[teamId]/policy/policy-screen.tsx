"use client";

import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { QueryState } from "#app/(portal)/portal/(home)/query-state.tsx";
import { EffectiveList } from "#app/(portal)/portal/(home)/effective-list.tsx";
import { PreviewCard } from "#app/(portal)/portal/(home)/teams/[teamId]/policy/preview-card.tsx";
import { useAct } from "#app/(portal)/portal/(home)/use-act.ts";
import { useTeam } from "#app/(portal)/portal/(home)/use-team.ts";
import { type Inputs, useTRPC } from "#trpc/client.tsx";
import { Card, CardBody, CardHeader } from "#ui/card.tsx";
import { Confirm } from "#ui/confirm.tsx";
import { Notice } from "#ui/notice.tsx";
import { PageHeader } from "#ui/page-header.tsx";
import { Switch } from "#ui/switch.tsx";

type Level = Inputs["policy"]["setRedaction"]["redaction"];

const levels: readonly { value: Level; label: string; text: string }[] = [
  { value: null, label: "Gateway's own", text: "The team says nothing; what the operator set for everybody holds." },
  { value: "off", label: "Everything", text: "Prompts, answers and all the rest are logged." },
  { value: "content", label: "No content", text: "Prompts, answers, tools, files and error texts are taken out." },
  { value: "metadata_only", label: "Figures only", text: "Tags, names and ids that clients give go as well." },
];

/** Whether the team's calls are logged, and how much of them leaves. */
export function PolicyScreen() {
  const { teamId, team } = useTeam();
  const trpc = useTRPC();
  const policy = useQuery(trpc.policy.get.queryOptions({ teamId }));
  const setRedaction = useMutation(trpc.policy.setRedaction.mutationOptions(useAct()("Redaction changed")));
  const disable = useMutation(trpc.policy.disable.mutationOptions(useAct()("Logging is disabled")));
  const [isAsking, setAsking] = useState(false);
  if (!policy.data) return <QueryState query={policy} />;
  const { effective, redaction, callbacks } = policy.data;
  const isDisabled = effective.decided_by === "team_disabled";
  const mayManage = team.data?.mayManage === true;
  const shown = setRedaction.isPending ? setRedaction.variables.redaction : redaction;

  return (
    <>
      <PageHeader
        title="Logging policy"
        description="Whether this team's calls are logged, and how much of them leaves."
      />
      <Card>
        <CardHeader
          title="Redaction"
          description="Applied before anything is stored or sent. What is taken out never comes back."
        />
        <fieldset className="grid divide-y" disabled={!mayManage || setRedaction.isPending}>
          <legend className="sr-only">Redaction</legend>
          {levels.map(({ value, label, text }) => (
            <label key={label} className="flex cursor-pointer items-start gap-3 px-4 py-3 hover:bg-sunken/60 sm:px-5">
              <input
                type="radio"
                name="redaction"
                className="mt-1 accent-accent"
                checked={shown === value}
                onChange={() => setRedaction.mutate({ teamId, redaction: value })}
              />
              <span className="grid">
                <span className="font-medium">{label}</span>
                <span className="text-quiet">{text}</span>
              </span>
            </label>
          ))}
        </fieldset>
      </Card>
      <Card>
        <CardHeader title="Logging" description="Off means: no record, no file, no row of a call, anywhere.">
          <Switch
            aria-label="Log this team's calls"
            checked={!isDisabled}
            disabled={!mayManage || isDisabled}
            onCheckedChange={() => setAsking(true)}
          />
        </CardHeader>
        <CardBody>
          {isDisabled ? (
            <Notice tone="plain" title="Logging is disabled">
              Neither keys nor requests can switch it on. Add a destination to log this team&apos;s calls again.
            </Notice>
          ) : (
            <EffectiveList effective={effective} />
          )}
        </CardBody>
      </Card>
      {!isDisabled && <PreviewCard teamId={teamId} />}
      <Confirm
        isOpen={isAsking}
        onOpenChange={setAsking}
        title="Disable logging?"
        description={
          <p>
            What waits or is on its way is dropped now.{" "}
            {callbacks > 0 &&
              `The team's ${String(callbacks)} ${callbacks === 1 ? "destination is" : "destinations are"} removed with their secrets.`}{" "}
            This wins over every key and every request.
          </p>
        }
        action="Disable logging"
        typed={team.data?.team_alias ?? teamId}
        isPending={disable.isPending}
        onConfirm={() => disable.mutate({ teamId }, { onSettled: () => setAsking(false) })}
      />
    </>
  );
}
