"use client";

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import {
  DestinationForm,
  type Sent,
} from "#app/(portal)/portal/(home)/teams/[teamId]/destinations/destination-form.tsx";
import { useAct } from "#app/(portal)/portal/(home)/use-act.ts";
import { type Outputs, useTRPC } from "#trpc/client.tsx";
import { Button } from "#ui/button.tsx";
import { Notice } from "#ui/notice.tsx";

type EditFormProps = {
  teamId: string;
  destination: Outputs["destinations"]["list"][number];
  callback: Outputs["callbacks"]["get"];
  mayManage: boolean;
};

/**
 * The stored values of a destination, to be changed. Who may not change them sees them all the same. What somebody else
 * saves meanwhile does not take the place of what is being written: it is said, and loaded when asked for.
 */
export function EditForm({ teamId, destination, callback: stored, mayManage }: EditFormProps) {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const act = useAct()("Destination saved");
  const update = useMutation(trpc.callbacks.update.mutationOptions({ onError: act.onError }));
  const [callback, setCallback] = useState(stored);
  const names = destination.vars.map(({ name }) => name);
  const kept = Object.fromEntries(Object.entries(callback.callback_vars).filter(([name]) => !names.includes(name)));
  const vars = Object.fromEntries(names.map((name) => [name, String(callback.callback_vars[name] ?? "")]));
  const { callback_id: callbackId, version, callback_type } = callback;

  async function save(sent: Sent): Promise<void> {
    try {
      setCallback(await update.mutateAsync({ teamId, callbackId, version, ...sent }));
      await act.onSuccess();
    } catch (error) {
      await queryClient.invalidateQueries({ queryKey: trpc.callbacks.get.queryKey({ teamId, callbackId }) });
      throw error;
    }
  }

  return (
    <fieldset disabled={!mayManage} className="grid min-w-0 gap-4">
      <legend className="sr-only">Settings</legend>
      {stored.version > version && (
        <Notice tone="warn" title="Somebody else has changed this destination">
          <p className="pb-2">It is not what you began with any more, so what you wrote here cannot be saved.</p>
          <Button size="small" onClick={() => setCallback(stored)}>
            Load the new settings
          </Button>
        </Notice>
      )}
      <DestinationForm
        key={version}
        teamId={teamId}
        destination={destination}
        callbackId={callbackId}
        initial={{ callback_type: toType(callback_type), vars }}
        kept={kept}
        save={save}
        cancel={mayManage ? null : <p className="text-quiet">Only the team&apos;s administrators change this.</p>}
      />
    </fieldset>
  );
}

function toType(type: string | null): "success" | "failure" | "success_and_failure" {
  return type === "success" || type === "failure" ? type : "success_and_failure";
}
