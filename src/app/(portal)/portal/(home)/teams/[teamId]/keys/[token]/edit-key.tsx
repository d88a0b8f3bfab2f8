"use client";

import { useMutation } from "@tanstack/react-query";
import { SlidersHorizontal } from "lucide-react";
import { type SyntheticEvent, useState } from "react";
import {
  limitFields,
  type LimitEntries,
  toChanges,
  toEntries,
} from "#app/(portal)/portal/(home)/teams/[teamId]/keys/[token]/key-changes.ts";
import { ExpiryOptions } from "#app/(portal)/portal/(home)/teams/[teamId]/keys/expiry-options.tsx";
import { useAct } from "#app/(portal)/portal/(home)/use-act.ts";
import { type Outputs, useTRPC } from "#trpc/client.tsx";
import { Button } from "#ui/button.tsx";
import { Actions, Dialog } from "#ui/dialog.tsx";
import { Field } from "#ui/field.tsx";
import { Input, Select } from "#ui/input.tsx";

type Key = Outputs["keys"]["get"];

/** Changes a key's name, models, budget, limits and end. */
export function EditKey({ token, apiKey }: { token: string; apiKey: Key }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <Button onClick={() => setOpen(true)}>
        <SlidersHorizontal aria-hidden />
        Edit limits
      </Button>
      <Dialog
        isOpen={isOpen}
        onOpenChange={setOpen}
        title="Edit the key"
        description="It holds from the key's next call on. Only what you change is written."
      >
        <EditForm token={token} apiKey={apiKey} onDone={() => setOpen(false)} />
      </Dialog>
    </>
  );
}

function EditForm({ token, apiKey, onDone }: { token: string; apiKey: Key; onDone: () => void }) {
  const [first] = useState(() => toEntries(apiKey));
  const [entries, setEntries] = useState(first);
  const update = useMutation(useTRPC().keys.update.mutationOptions(useAct()("Key changed")));
  const changes = toChanges(first, entries);
  // A key made over REST may have no name, and needs none to be changed.
  const isNamed = first.key_alias !== "";
  const bind = (name: keyof LimitEntries) => ({
    value: entries[name],
    onChange: (event: { target: { value: string } }) => setEntries({ ...entries, [name]: event.target.value }),
  });

  async function submit(event: SyntheticEvent): Promise<void> {
    event.preventDefault();
    await update.mutateAsync({ key: token, changes });
    onDone();
  }

  return (
    <form className="grid gap-4" onSubmit={(event) => void submit(event).catch(() => undefined)}>
      <Field label="Name" isOptional={!isNamed}>
        {(control) => <Input {...control} required={isNamed} maxLength={256} {...bind("key_alias")} />}
      </Field>
      <Field label="Models" isOptional hint="Names with commas between them; none: all that the team may call.">
        {(control) => <Input {...control} placeholder="All" {...bind("models")} />}
      </Field>
      <div className="grid gap-4 sm:grid-cols-2">
        {limitFields.map(({ name, label, step }) => (
          <Field key={name} label={label} isOptional>
            {(control) => (
              <Input {...control} type="number" min={0} step={step} placeholder="No limit" {...bind(name)} />
            )}
          </Field>
        ))}
        <Field label="Budget begins anew">
          {(control) => (
            <Select {...control} {...bind("budget_duration")}>
              <option value="">Never</option>
              <option value="1d">Every day</option>
              <option value="7d">Every 7 days</option>
              <option value="30d">Every 30 days</option>
              <option value="1mo">Every month</option>
              {!["", "1d", "7d", "30d", "1mo"].includes(first.budget_duration) && (
                <option value={first.budget_duration}>Every {first.budget_duration}</option>
              )}
            </Select>
          )}
        </Field>
        <Field label="Expires">
          {(control) => (
            <Select {...control} {...bind("duration")}>
              <option value="kept">As it is</option>
              <ExpiryOptions />
            </Select>
          )}
        </Field>
      </div>
      <Actions>
        <Button onClick={onDone}>Cancel</Button>
        <Button kind="primary" type="submit" disabled={Object.keys(changes).length === 0} isPending={update.isPending}>
          Save
        </Button>
      </Actions>
    </form>
  );
}
