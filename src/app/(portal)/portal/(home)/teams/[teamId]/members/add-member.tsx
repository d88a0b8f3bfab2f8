"use client";

import { useMutation } from "@tanstack/react-query";
import { type SyntheticEvent, useState } from "react";
import { type Invitation, InvitationLink } from "#app/(portal)/portal/(home)/invitation-link.tsx";
import { useAct } from "#app/(portal)/portal/(home)/use-act.ts";
import { useTRPC } from "#trpc/client.tsx";
import { Button } from "#ui/button.tsx";
import { Actions, Dialog } from "#ui/dialog.tsx";
import { EmailField } from "#ui/email-field.tsx";
import { Field } from "#ui/field.tsx";
import { Select } from "#ui/input.tsx";
import { Notice } from "#ui/notice.tsx";

type AddMemberProps = { teamId: string; isOpen: boolean; onOpenChange: (isOpen: boolean) => void };

/** Adds somebody by e-mail address; for who is new to the gateway, it shows the link that sets a password. */
export function AddMember({ teamId, isOpen, onOpenChange }: AddMemberProps) {
  const [email, setEmail] = useState("");
  const [role, setRole] = useState<"admin" | "user">("user");
  const [invitation, setInvitation] = useState<Invitation | null>(null);
  const act = useAct()("Member added");
  const add = useMutation(useTRPC().members.add.mutationOptions({ onError: act.onError }));

  async function submit(event: SyntheticEvent): Promise<void> {
    event.preventDefault();
    const address = email.trim();
    const made = await add.mutateAsync({ teamId, user_email: address, role });
    onOpenChange(false);
    setEmail("");
    setRole("user");
    if (made) setInvitation({ email: address, ...made });
    await act.onSuccess();
  }

  if (invitation) return <InvitationLink invitation={invitation} onClose={() => setInvitation(null)} />;
  return (
    <Dialog isOpen={isOpen} onOpenChange={onOpenChange} title="Add member">
      <form className="grid gap-4" onSubmit={(event) => void submit(event).catch(() => undefined)}>
        <EmailField value={email} onPick={setEmail} />
        <Field label="Role">
          {(control) => (
            <Select
              {...control}
              value={role}
              onChange={(event) => setRole(event.target.value === "admin" ? "admin" : "user")}
            >
              <option value="user">Member</option>
              <option value="admin">Administrator</option>
            </Select>
          )}
        </Field>
        <Notice tone="plain">
          Who is new gets a link from you, which is shown next. Who has an account signs in as before.
        </Notice>
        <Actions>
          <Button onClick={() => onOpenChange(false)}>Cancel</Button>
          <Button kind="primary" type="submit" disabled={email.trim() === ""} isPending={add.isPending}>
            Add
          </Button>
        </Actions>
      </form>
    </Dialog>
  );
}
