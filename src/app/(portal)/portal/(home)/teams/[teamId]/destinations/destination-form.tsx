"use client";

import { useMutation } from "@tanstack/react-query";
import { type ClipboardEvent, type ReactNode, useState } from "react";
import { useForm } from "react-hook-form";
import { CheckNotice } from "#app/(portal)/portal/(home)/check-notice.tsx";
import { useAct } from "#app/(portal)/portal/(home)/use-act.ts";
import { readPasted } from "#app/(portal)/portal/(home)/teams/[teamId]/destinations/paste-vars.ts";
import { VarField } from "#app/(portal)/portal/(home)/teams/[teamId]/destinations/var-field.tsx";
import { type Outputs, toFault, useTRPC } from "#trpc/client.tsx";
import { Button } from "#ui/button.tsx";
import { Actions } from "#ui/dialog.tsx";
import { Field } from "#ui/field.tsx";
import { Select, Textarea } from "#ui/input.tsx";
import { Notice } from "#ui/notice.tsx";

/** What a form of a destination holds: texts by variable, and when it fires. */
export type DestinationValues = {
  callback_type: "success" | "failure" | "success_and_failure";
  vars: Record<string, string>;
};

type DestinationFormProps = {
  teamId: string;
  destination: Outputs["destinations"]["list"][number];
  /** The stored callback that is edited; null for a new one. */
  callbackId: string | null;
  initial: DestinationValues;
  /** Variables that the form does not show and that stay as they are. */
  kept: Record<string, Outputs["callbacks"]["get"]["callback_vars"][string]>;
  save: (values: Sent) => Promise<unknown>;
  cancel: ReactNode;
};

/** What is sent: the form's values with what it kept. */
export type Sent = {
  callback_type: DestinationValues["callback_type"];
  callback_vars: Outputs["callbacks"]["get"]["callback_vars"];
};

/** Fill in (or paste), test, save. What failed its test is saved only by somebody who says so. */
export function DestinationForm({
  teamId,
  destination,
  callbackId,
  initial,
  kept,
  save,
  cancel,
}: DestinationFormProps) {
  const trpc = useTRPC();
  const { onError } = useAct()("");
  const test = useMutation(trpc.callbacks.test.mutationOptions({ onError }));
  const form = useForm<DestinationValues>({ defaultValues: initial });
  const [failed, setFailed] = useState<string | null>(null);
  const { isSubmitting, errors } = form.formState;

  function toSent({ callback_type, vars }: DestinationValues): Sent {
    const given = Object.entries(vars).filter(([, value]) => value.trim() !== "");
    return { callback_type, callback_vars: { ...kept, ...Object.fromEntries(given) } };
  }

  function showFault(error: unknown): void {
    const { message, param } = toFault(error);
    const name = param?.replace(/^callback_vars\./, "") ?? "";
    if (destination.vars.some((known) => known.name === name)) form.setError(`vars.${name}`, { message });
    else setFailed(message);
  }

  async function runTest(sent: Sent): Promise<boolean> {
    setFailed(null);
    const callback_name = destination.name;
    const { state } = await test.mutateAsync({ teamId, callbackId, callback_name, callback_vars: sent.callback_vars });
    return state === "healthy";
  }

  async function submit(values: DestinationValues): Promise<void> {
    try {
      const sent = toSent(values);
      if (await runTest(sent)) await save(sent);
    } catch (error) {
      showFault(error);
    }
  }

  function fill(event: ClipboardEvent<HTMLTextAreaElement>): void {
    const found = Object.entries(readPasted(event.clipboardData.getData("text"), destination));
    if (found.length === 0) return;
    event.preventDefault();
    for (const [name, value] of found) form.setValue(`vars.${name}`, value, { shouldDirty: true });
  }

  // Another name of a variable is shown where it was saved under that name, because then it wins.
  const shown = destination.vars.filter(({ name, aliasOf }) => aliasOf === null || Boolean(initial.vars[name]));
  const saveAnyway = form.handleSubmit((values) => save(toSent(values)).catch(showFault));
  return (
    <form className="grid gap-4" noValidate onSubmit={(event) => void form.handleSubmit(submit)(event)}>
      <Field
        label="Paste to fill"
        isOptional
        hint="A .env block or a service account's JSON: what fits is filled in below."
      >
        {(control) => (
          <Textarea
            {...control}
            rows={2}
            className="min-h-14"
            onPaste={fill}
            readOnly={false}
            value=""
            onChange={() => undefined}
          />
        )}
      </Field>
      {shown.map((described) => (
        <VarField
          key={described.name}
          described={described}
          error={errors.vars?.[described.name]?.message}
          register={form.register(`vars.${described.name}`)}
        />
      ))}
      <Field label="Fires on">
        {(control) => (
          <Select {...control} {...form.register("callback_type")}>
            <option value="success_and_failure">All calls</option>
            <option value="success">Successful calls</option>
            <option value="failure">Failed calls</option>
          </Select>
        )}
      </Field>
      {failed !== null && <Notice tone="bad">{failed}</Notice>}
      {test.data && <CheckNotice check={test.data} />}
      <Actions>
        {cancel}
        {test.data && test.data.state !== "healthy" && (
          <Button onClick={(event) => void saveAnyway(event)}>Save anyway</Button>
        )}
        <Button kind="primary" type="submit" isPending={isSubmitting}>
          Test and save
        </Button>
      </Actions>
    </form>
  );
}
