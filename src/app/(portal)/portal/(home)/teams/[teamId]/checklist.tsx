"use client";

import { ArrowRight, CircleCheck, CircleDashed } from "lucide-react";
import Link from "next/link";
import { teamPath } from "#app/(portal)/portal/(home)/team-path.ts";
import { Card, CardBody, CardHeader } from "#ui/card.tsx";
import { CodeBlock } from "#ui/code-block.tsx";
import { useIsAlive } from "#ui/use-is-alive.ts";

type ChecklistProps = { teamId: string; hasDestination: boolean; hasKey: boolean };

/** What to do until the first log arrives, and what of it is done. */
export function Checklist({ teamId, hasDestination, hasKey }: ChecklistProps) {
  const origin = useIsAlive() ? window.location.origin : "";
  return (
    <Card aria-labelledby="first-steps">
      <CardHeader id="first-steps" title="From here to the first log" description="Three steps, a few minutes." />
      <CardBody>
        <ol className="grid gap-3">
          <Step isDone={hasDestination} href={teamPath(teamId, "destinations/new")} label="Add a destination">
            Langfuse, a bucket, Datadog, a webhook: where the logs shall go.
          </Step>
          <Step isDone={hasKey} href={teamPath(teamId, "keys")} label="Make an API key">
            Applications call the gateway with it.
          </Step>
          <Step isDone={false} label="Make the first call">
            It is counted among the logs delivered on this page.
          </Step>
        </ol>
        <CodeBlock label="First call" code={firstCall(origin)} />
      </CardBody>
    </Card>
  );
}

type StepProps = { isDone: boolean; href?: string; label: string; children: string };

function Step({ isDone, href, label, children }: StepProps) {
  const Icon = isDone ? CircleCheck : CircleDashed;
  return (
    <li className="flex items-start gap-3">
      <Icon className={`mt-0.5 size-5 shrink-0 ${isDone ? "text-good" : "text-quiet"}`} aria-hidden />
      <div className="grid">
        {href && !isDone ? (
          <Link href={href} className="inline-flex w-fit items-center gap-1 font-medium text-accent hover:underline">
            {label}
            <ArrowRight className="size-4" aria-hidden />
          </Link>
        ) : (
          <span className="font-medium">
            {label}
            {isDone && <span className="sr-only"> (done)</span>}
          </span>
        )}
        <span className="text-quiet">{children}</span>
      </div>
    </li>
  );
}

/** The first call as a command. */
function firstCall(origin: string): string {
  return `curl ${origin}/v1/chat/completions \\
  -H "Authorization: Bearer $SLUICE_KEY" \\
  -H "Content-Type: application/json" \\
  -d '{"model": "MODEL", "messages": [{"role": "user", "content": "Hello"}]}'`;
}
