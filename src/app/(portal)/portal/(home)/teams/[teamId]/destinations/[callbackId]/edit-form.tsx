"use client";

import { useMutation } from "@tanstack/react-query";
import { DestinationForm } from "#app/(portal)/portal/(home)/teams/[teamId]/destinations/destination-form.tsx";
import { useAct } from "#app/(portal)/portal/(home)/use-act.ts";
import { type Outputs, useTRPC } from "#trpc/client.tsx";

type EditFormProps = {
  teamId: string;
  destination: Outputs["destinations"]["list"][number];
  callback: Outputs["callbacks"]["get"];
  mayManage: boolean;
};

/** The stored values of a destination, to be changed. Who may not change them sees them all the same. */
export function EditForm({ teamId, destination, callback, mayManage }: EditFormProps) {
  const act = useAct()("Destination saved");
  const update = useMutation(useTRPC().callbacks.update.mutationOptions({ onError: act.onError }));
  const names = destination.vars.map(({ name }) => name);
  const kept = Object.fromEntries(Object.entries(callback.callback_vars).filter(([name]) => !names.includes(name)));
  const vars = Object.fromEntries(names.map((name) => [name, String(callback.callback_vars[name] ?? "")]));
  const { callback_id: callbackId, version, callback_type } = callback;
  return (
    <fieldset disabled={!mayManage} className="min-w-0">
      <legend className="sr-only">Settings</legend>
      <DestinationForm
        teamId={teamId}
        destination={destination}
        callbackId={callbackId}
        initial={{ callback_type: toType(callback_type), vars }}
        kept={kept}
        save={async (sent) => {
          await update.mutateAsync({ teamId, callbackId, version, ...sent });
          await act.onSuccess();
        }}
        cancel={mayManage ? null : <p className="text-quiet">Only the team&apos;s administrators change this.</p>}
      />
    </fieldset>
  );
}

function toType(type: string | null): "success" | "failure" | "success_and_failure" {
  return type === "success" || type === "failure" ? type : "success_and_failure";
}
