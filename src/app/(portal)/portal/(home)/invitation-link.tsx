"use client";

import { Button } from "#ui/button.tsx";
import { CodeBlock } from "#ui/code-block.tsx";
import { Actions, Dialog } from "#ui/dialog.tsx";

/** A link that was just made, and for whom. */
export type Invitation = { email: string; secret: string; expiresAt: string };

/** Shows the link by which an invited person sets a password, this once, to be sent by whoever invites. */
export function InvitationLink({ invitation, onClose }: { invitation: Invitation; onClose: () => void }) {
  const { email, secret, expiresAt } = invitation;
  return (
    <Dialog
      isOpen
      mustAnswer
      onOpenChange={() => undefined}
      title={`Send this link to ${email}`}
      description={`It sets the password, once, until ${new Date(expiresAt).toLocaleString()}. It is shown this once: whoever has it gets in.`}
    >
      <div className="grid min-w-0 gap-4">
        <CodeBlock label="Invitation link" code={`${window.location.origin}/portal/invitation#${secret}`} />
        <Actions>
          <Button kind="primary" onClick={onClose}>
            Done
          </Button>
        </Actions>
      </div>
    </Dialog>
  );
}
