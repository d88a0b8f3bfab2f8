"use client";

import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { toFault, useTRPC } from "#trpc/client.tsx";
import { Button } from "#ui/button.tsx";
import { Card, CardBody, CardHeader } from "#ui/card.tsx";
import { CodeBlock } from "#ui/code-block.tsx";
import { Field } from "#ui/field.tsx";
import { Input } from "#ui/input.tsx";
import { Notice } from "#ui/notice.tsx";

/** What each destination would get for a call, without sending anything. */
export function PreviewCard({ teamId }: { teamId: string }) {
  const [prompt, setPrompt] = useState("My card number is 4242 4242 4242 4242");
  const [answer, setAnswer] = useState("I have noted your card.");
  const [asked, setAsked] = useState<{ prompt: string; answer: string } | null>(null);
  const input = { teamId, prompt: asked?.prompt ?? "", answer: asked?.answer ?? "" };
  const preview = useQuery(useTRPC().policy.preview.queryOptions(input, { enabled: asked !== null }));
  return (
    <Card>
      <CardHeader
        title="Preview"
        description="The very bytes that would leave for a call of this team. Nothing is sent."
      />
      <CardBody>
        <form
          className="grid gap-4 sm:grid-cols-[1fr_1fr_auto] sm:items-end"
          onSubmit={(event) => {
            event.preventDefault();
            setAsked({ prompt, answer });
          }}
        >
          <Field label="Prompt">
            {(control) => <Input {...control} value={prompt} onChange={(event) => setPrompt(event.target.value)} />}
          </Field>
          <Field label="Answer">
            {(control) => <Input {...control} value={answer} onChange={(event) => setAnswer(event.target.value)} />}
          </Field>
          <Button type="submit" isPending={asked !== null && preview.isPending}>
            Show
          </Button>
        </form>
        {preview.error && <Notice tone="bad">{toFault(preview.error).message}</Notice>}
        {preview.data?.callbacks.length === 0 && <Notice tone="plain">{preview.data.reason}</Notice>}
        {preview.data?.callbacks.map((callback) => (
          <CodeBlock
            key={callback.callback_id}
            label={`${callback.callback_name}, ${callback.redaction}`}
            code={
              callback.request
                ? `${callback.request.method} ${callback.request.url}\n\n${pretty(callback.request.body)}`
                : JSON.stringify(callback, null, 2)
            }
          />
        ))}
      </CardBody>
    </Card>
  );
}

function pretty(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}
