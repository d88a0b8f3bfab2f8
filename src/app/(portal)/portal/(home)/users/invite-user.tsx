"use client";

import { useMutation } from "@tanstack/react-query";
import { type SyntheticEvent, useState } from "react";
import { type Invitation, InvitationLink } from "#app/(portal)/portal/(home)/invitation-link.tsx";
import { useAct } from "#app/(portal)/portal/(home)/use-act.ts";
import { RoleSelect, type Role } from "#app/(portal)/portal/(home)/users/role-select.tsx";
import { useTRPC } from "#trpc/client.tsx";
import { Button } from "#ui/button.tsx";
import { Actions, Dialog } from "#ui/dialog.tsx";
import { EmailField } from "#ui/email-field.tsx";
import { Field } from "#ui/field.tsx";

/** Makes a user, and shows the link by which he sets a password. */
export function InviteUser({ isOpen, onOpenChange }: { isOpen: boolean; onOpenChange: (isOpen: boolean) => void }) {
  const [email, setEmail] = useState("");
  const [role, setRole] = useState<Role>("internal_user");
  const [invitation, setInvitation] = useState<Invitation | null>(null);
  const act = useAct()("User invited");
  const invite = useMutation(useTRPC().users.invite.mutationOptions({ onError: act.onError }));

  async function submit(event: SyntheticEvent): Promise<void> {
    event.preventDefault();
    const address = email.trim().toLowerCase();
    const made = await invite.mutateAsync({ email: address, role });
    onOpenChange(false);
    setEmail("");
    setRole("internal_user");
    setInvitation({ email: address, ...made });
    await act.onSuccess();
  }

  if (invitation) return <InvitationLink invitation={invitation} onClose={() => setInvitation(null)} />;
  return (
    <Dialog
      isOpen={isOpen}
      onOpenChange={onOpenChange}
      title="Invite user"
      description="A link to set a password is shown next, for you to send."
    >
      <form className="grid gap-4" onSubmit={(event) => void submit(event).catch(() => undefined)}>
        <EmailField value={email} onPick={setEmail} />
        <Field label="Role">{(control) => <RoleSelect {...control} value={role} onPick={setRole} />}</Field>
        <Actions>
          <Button onClick={() => onOpenChange(false)}>Cancel</Button>
          <Button kind="primary" type="submit" disabled={email.trim() === ""} isPending={invite.isPending}>
            Invite
          </Button>
        </Actions>
      </form>
    </Dialog>
  );
}
