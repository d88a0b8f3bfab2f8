"use client";

import { useMutation } from "@tanstack/react-query";
import { RefreshCw } from "lucide-react";
import { useRouter } from "next/navigation";
import { useState } from "react";
import { teamPath } from "#app/(portal)/portal/(home)/team-path.ts";
import { ShownKey } from "#app/(portal)/portal/(home)/teams/[teamId]/keys/shown-key.tsx";
import { useAct } from "#app/(portal)/portal/(home)/use-act.ts";
import { useTRPC } from "#trpc/client.tsx";
import { Button } from "#ui/button.tsx";
import { Actions, Dialog } from "#ui/dialog.tsx";
import { Field } from "#ui/field.tsx";
import { Select } from "#ui/input.tsx";

/** Gives a key a new text, and says how long the old one goes on beside it. */
export function RotateKey({ teamId, apiKey }: { teamId: string; apiKey: string }) {
  const router = useRouter();
  const act = useAct()("Key rotated");
  const rotate = useMutation(useTRPC().keys.regenerate.mutationOptions({ onError: act.onError }));
  const [isOpen, setOpen] = useState(false);
  const [grace, setGrace] = useState("1h");

  if (rotate.data) {
    const { key, token } = rotate.data;
    return <ShownKey apiKey={key} onClose={() => router.replace(teamPath(teamId, `keys/${token}`))} />;
  }
  return (
    <>
      <Button onClick={() => setOpen(true)}>
        <RefreshCw aria-hidden />
        Rotate
      </Button>
      <Dialog
        isOpen={isOpen}
        onOpenChange={setOpen}
        title="Rotate the key"
        description="You get a new text for the same key."
      >
        <div className="grid gap-4">
          <Field label="The old text goes on for">
            {(control) => (
              <Select {...control} value={grace} onChange={(event) => setGrace(event.target.value)}>
                <option value="">No time: it ends now</option>
                <option value="15m">15 minutes</option>
                <option value="1h">1 hour</option>
                <option value="6h">6 hours</option>
                <option value="24h">24 hours</option>
                <option value="7d">7 days</option>
              </Select>
            )}
          </Field>
          <Actions>
            <Button onClick={() => setOpen(false)}>Cancel</Button>
            <Button
              kind="primary"
              isPending={rotate.isPending}
              onClick={() => rotate.mutate({ key: apiKey, grace_period: grace === "" ? null : grace })}
            >
              Rotate
            </Button>
          </Actions>
        </div>
      </Dialog>
    </>
  );
}
