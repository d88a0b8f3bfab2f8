"use client";

import { useMutation } from "@tanstack/react-query";
import { type SyntheticEvent, useState } from "react";
import { ExpiryOptions } from "#app/(portal)/portal/(home)/teams/[teamId]/keys/expiry-options.tsx";
import { ShownKey } from "#app/(portal)/portal/(home)/teams/[teamId]/keys/shown-key.tsx";
import { useAct } from "#app/(portal)/portal/(home)/use-act.ts";
import { useTRPC } from "#trpc/client.tsx";
import { Button } from "#ui/button.tsx";
import { Actions, Dialog } from "#ui/dialog.tsx";
import { Field } from "#ui/field.tsx";
import { Input, Select } from "#ui/input.tsx";

type NewKeyProps = { teamId: string; isOpen: boolean; onOpenChange: (isOpen: boolean) => void };

/** Makes a key that belongs to the team, and shows it once. */
export function NewKey({ teamId, isOpen, onOpenChange }: NewKeyProps) {
  const [name, setName] = useState("");
  const [duration, setDuration] = useState("");
  const [budget, setBudget] = useState("");
  const [rate, setRate] = useState("");
  const [made, setMade] = useState<string | null>(null);
  const act = useAct()("Key made");
  const generate = useMutation(useTRPC().keys.generate.mutationOptions({ onError: act.onError }));

  async function submit(event: SyntheticEvent): Promise<void> {
    event.preventDefault();
    const fields = {
      team_id: teamId,
      key_alias: name.trim(),
      ...(duration === "" ? {} : { duration }),
      ...(budget === "" ? {} : { max_budget: Number(budget) }),
      ...(rate === "" ? {} : { rpm_limit: Number(rate) }),
    };
    const { key } = await generate.mutateAsync({ fields, isServiceAccount: true });
    onOpenChange(false);
    for (const empty of [setName, setDuration, setBudget, setRate]) empty("");
    setMade(key);
  }

  if (made !== null) {
    return (
      <ShownKey
        apiKey={made}
        onClose={() => {
          setMade(null);
          void act.onSuccess();
        }}
      />
    );
  }
  return (
    <Dialog
      isOpen={isOpen}
      onOpenChange={onOpenChange}
      title="New key"
      description="It belongs to the team, and outlives its maker."
    >
      <form className="grid gap-4" onSubmit={(event) => void submit(event).catch(() => undefined)}>
        <Field label="Name" hint="Which application uses it; no two keys have the same name.">
          {(control) => (
            <Input
              {...control}
              required
              maxLength={256}
              value={name}
              onChange={(event) => setName(event.target.value)}
            />
          )}
        </Field>
        <Field label="Expires">
          {(control) => (
            <Select {...control} value={duration} onChange={(event) => setDuration(event.target.value)}>
              <ExpiryOptions />
            </Select>
          )}
        </Field>
        <div className="grid gap-4 sm:grid-cols-2">
          <Field label="Budget in USD" isOptional hint="Once it is used up, calls are refused.">
            {(control) => (
              <Input
                {...control}
                type="number"
                min={0}
                step="any"
                placeholder="No limit"
                value={budget}
                onChange={(event) => setBudget(event.target.value)}
              />
            )}
          </Field>
          <Field label="Requests a minute" isOptional hint="What is more is refused for a while.">
            {(control) => (
              <Input
                {...control}
                type="number"
                min={1}
                step={1}
                placeholder="No limit"
                value={rate}
                onChange={(event) => setRate(event.target.value)}
              />
            )}
          </Field>
        </div>
        <Actions>
          <Button onClick={() => onOpenChange(false)}>Cancel</Button>
          <Button kind="primary" type="submit" disabled={name.trim() === ""} isPending={generate.isPending}>
            Make key
          </Button>
        </Actions>
      </form>
    </Dialog>
  );
}
