"use client";

import { type ReactNode, useState } from "react";
import { Button } from "#ui/button.tsx";
import { Actions, Dialog } from "#ui/dialog.tsx";
import { Field } from "#ui/field.tsx";
import { Input } from "#ui/input.tsx";

type ConfirmProps = {
  isOpen: boolean;
  onOpenChange: (isOpen: boolean) => void;
  title: string;
  /** What will happen. */
  description: ReactNode;
  /** The button's word for it. */
  action: string;
  /** A name that must be typed first; absent: none. */
  typed?: string;
  isPending: boolean;
  onConfirm: () => void;
};

/** Asks before something that cannot be taken back. */
export function Confirm({ typed, action, isPending, onConfirm, ...dialog }: ConfirmProps) {
  const [text, setText] = useState("");
  const isReady = typed === undefined || text.trim() === typed;
  return (
    <Dialog {...dialog}>
      <form
        className="grid gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          if (isReady) onConfirm();
        }}
      >
        {typed !== undefined && (
          <Field label={`Type ${typed} to confirm`}>
            {(control) => (
              <Input {...control} value={text} autoComplete="off" onChange={(event) => setText(event.target.value)} />
            )}
          </Field>
        )}
        <Actions>
          <Button onClick={() => dialog.onOpenChange(false)}>Cancel</Button>
          <Button kind="danger" type="submit" disabled={!isReady} isPending={isPending}>
            {action}
          </Button>
        </Actions>
      </form>
    </Dialog>
  );
}
