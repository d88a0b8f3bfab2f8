"use client";

import { useMutation, useQuery } from "@tanstack/react-query";
import { ArrowLeft, Send } from "lucide-react";
import Link from "next/link";
import { useRouter, useSearchParams } from "next/navigation";
import { QueryState } from "#app/(portal)/portal/(home)/query-state.tsx";
import { DestinationForm } from "#app/(portal)/portal/(home)/teams/[teamId]/destinations/destination-form.tsx";
import { teamPath } from "#app/(portal)/portal/(home)/team-path.ts";
import { useAct } from "#app/(portal)/portal/(home)/use-act.ts";
import { useTeamId } from "#app/(portal)/portal/(home)/use-team.ts";
import { type Outputs, useTRPC } from "#trpc/client.tsx";
import { Button } from "#ui/button.tsx";
import { Card, CardBody, CardHeader } from "#ui/card.tsx";
import { PageHeader } from "#ui/page-header.tsx";

/** Choose a kind, then fill in its form. The address holds the choice. */
export function NewDestinationScreen() {
  const teamId = useTeamId();
  const kinds = useQuery(useTRPC().destinations.list.queryOptions());
  const chosen = useSearchParams().get("kind");
  if (!kinds.data) return <QueryState query={kinds} />;
  const destination = kinds.data.find(({ name }) => name === chosen);
  return (
    <>
      <PageHeader title={destination ? `Add ${destination.label}` : "Add a destination"}>
        <Button asChild kind="quiet">
          <Link href={destination ? "?" : teamPath(teamId, "destinations")}>
            <ArrowLeft aria-hidden />
            {destination ? "Other destinations" : "Destinations"}
          </Link>
        </Button>
      </PageHeader>
      {destination ? (
        <NewForm key={destination.name} teamId={teamId} destination={destination} />
      ) : (
        <Catalogue kinds={kinds.data} />
      )}
    </>
  );
}

type Kind = Outputs["destinations"]["list"][number];

const texts: Readonly<Record<string, string>> = {
  langfuse: "Traces and generations in a Langfuse project, cloud or self-hosted.",
  langfuse_otel: "The same, by OpenTelemetry alone, as LiteLLM's langfuse_otel.",
  gcs_bucket: "One JSON object a call, or batches, in a Google Cloud Storage bucket.",
  datadog: "Logs in Datadog, at any of its sites.",
  langsmith: "Runs in a LangSmith project.",
  otel: "Spans to any OpenTelemetry collector.",
  webhook: "A signed POST to an address of yours.",
};

function Catalogue({ kinds }: { kinds: readonly Kind[] }) {
  return (
    <ul className="grid gap-3 sm:grid-cols-2 lg:grid-cols-3">
      {kinds.map(({ name, label }) => (
        <li key={name}>
          <Link
            href={`?kind=${encodeURIComponent(name)}`}
            className="flex h-full items-start gap-3 rounded-xl border bg-surface p-4 hover:border-line-strong"
          >
            <span className="grid size-9 shrink-0 place-items-center rounded-lg bg-accent-soft text-accent">
              <Send className="size-4" aria-hidden />
            </span>
            <span className="grid gap-0.5">
              <span className="font-medium">{label}</span>
              <span className="text-[0.8125rem] text-quiet">{texts[name] ?? name}</span>
            </span>
          </Link>
        </li>
      ))}
    </ul>
  );
}

function NewForm({ teamId, destination }: { teamId: string; destination: Kind }) {
  const router = useRouter();
  const act = useAct()(`${destination.label} added`);
  const add = useMutation(useTRPC().callbacks.add.mutationOptions({ onError: act.onError }));
  return (
    <Card className="max-w-2xl">
      <CardHeader
        title={destination.label}
        description="Secrets are sealed when they are saved and never shown again."
      />
      <CardBody>
        <DestinationForm
          teamId={teamId}
          destination={destination}
          callbackId={null}
          initial={{
            callback_type: "success_and_failure",
            vars: Object.fromEntries(destination.vars.map(({ name }) => [name, ""])),
          }}
          kept={{}}
          save={async (sent) => {
            const { callback_id } = await add.mutateAsync({ teamId, callback_name: destination.name, ...sent });
            await act.onSuccess();
            router.push(teamPath(teamId, callback_id === null ? "destinations" : `destinations/${callback_id}`));
          }}
          cancel={
            <Button asChild>
              <Link href={teamPath(teamId, "destinations")}>Cancel</Link>
            </Button>
          }
        />
      </CardBody>
    </Card>
  );
}
