"use client";

import { useMutation, useQuery } from "@tanstack/react-query";
import { History } from "lucide-react";
import { useState } from "react";
import { useAct } from "#app/(portal)/portal/(home)/use-act.ts";
import { useTRPC } from "#trpc/client.tsx";
import { Button } from "#ui/button.tsx";
import { Actions, Dialog } from "#ui/dialog.tsx";
import { Field } from "#ui/field.tsx";
import { Select } from "#ui/input.tsx";
import { Notice } from "#ui/notice.tsx";

type SendEarlierProps = { teamId: string; callbackId: string; label: string };

const hourChoices = [1, 6, 24, 72, 168, 720];

/** Sends a destination the logs of earlier calls that it never had, as far as they are kept. */
export function SendEarlier(props: SendEarlierProps) {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <Button onClick={() => setOpen(true)}>
        <History aria-hidden />
        Send earlier logs
      </Button>
      <Dialog
        isOpen={isOpen}
        onOpenChange={setOpen}
        title={`Send earlier logs to ${props.label}?`}
        description="It gets the kept logs of the team that it never had, redacted and chosen as its settings say now."
      >
        <Choice {...props} close={() => setOpen(false)} />
      </Dialog>
    </>
  );
}

function Choice({ teamId, callbackId, close }: SendEarlierProps & { close: () => void }) {
  const trpc = useTRPC();
  const act = useAct()("On their way");
  const [hours, setHours] = useState(24);
  const selection = { teamId, callback_id: callbackId, hours };
  const kept = useQuery(trpc.deliveries.retained.queryOptions(selection));
  const send = useMutation(trpc.deliveries.backfill.mutationOptions({ onError: act.onError }));
  const [isSending, setSending] = useState(false);

  async function sendAll(): Promise<void> {
    setSending(true);
    try {
      let cursor: string | null = null;
      do {
        const part: Awaited<ReturnType<typeof send.mutateAsync>> = await send.mutateAsync({
          ...selection,
          ...(cursor === null ? {} : { cursor }),
        });
        cursor = part.next_cursor;
      } while (cursor !== null);
      await act.onSuccess();
      close();
    } finally {
      setSending(false);
    }
  }

  if (kept.data?.hours_max === 0) {
    return (
      <Notice tone="plain" title="Nothing is kept">
        Contents go once they are delivered. An operator can keep them with retention.content_hours in config.yaml.
      </Notice>
    );
  }
  const hoursMax = kept.data?.hours_max ?? 0;
  return (
    <form
      className="grid gap-4"
      onSubmit={(event) => {
        event.preventDefault();
        void sendAll().catch(() => undefined);
      }}
    >
      <Field label="Calls of the last" hint={hoursMax > 0 ? `Kept for ${wordHours(hoursMax)}.` : undefined}>
        {(control) => (
          <Select {...control} value={hours} onChange={(event) => setHours(Number(event.target.value))}>
            {hourChoices.map((choice) => (
              <option key={choice} value={choice}>
                {wordHours(choice)}
              </option>
            ))}
          </Select>
        )}
      </Field>
      <p role="status">{kept.error ? "They could not be counted." : kept.data ? wordCount(kept.data) : "Counting …"}</p>
      <Actions>
        <Button onClick={close}>Cancel</Button>
        <Button
          kind="primary"
          type="submit"
          disabled={!kept.data || (kept.data.count === 0 && !kept.data.is_more)}
          isPending={isSending}
        >
          Send
        </Button>
      </Actions>
    </form>
  );
}

function wordHours(hours: number): string {
  if (hours === 1) return "1 hour";
  return hours % 24 === 0 && hours > 24 ? `${String(hours / 24)} days` : `${String(hours)} hours`;
}

function wordCount({ count, is_more: isMore }: { count: number; is_more: boolean }): string {
  if (count === 0 && !isMore) return "There are none that it did not have.";
  const logs = count === 1 ? "log" : "logs";
  return `${isMore ? "More than " : ""}${String(count)} ${logs} that it never had.`;
}
