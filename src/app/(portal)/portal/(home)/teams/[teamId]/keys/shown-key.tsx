"use client";

import { useState } from "react";
import { Button } from "#ui/button.tsx";
import { CodeBlock } from "#ui/code-block.tsx";
import { Actions, Dialog } from "#ui/dialog.tsx";

/** Shows a key this once, with the first call ready; closes only when somebody says that it is saved. */
export function ShownKey({ apiKey, onClose }: { apiKey: string; onClose: () => void }) {
  const [isSaved, setSaved] = useState(false);
  return (
    <Dialog
      isOpen
      mustAnswer
      onOpenChange={() => undefined}
      title="Save this key now"
      description="It is shown this once. The gateway keeps only its hash."
    >
      <div className="grid min-w-0 gap-4">
        <CodeBlock label="Key" code={apiKey} />
        <CodeBlock label="First call" code={firstCall(apiKey)} />
        <label className="flex items-center gap-2">
          <input
            type="checkbox"
            className="size-4 accent-accent"
            checked={isSaved}
            onChange={(event) => setSaved(event.target.checked)}
          />
          I have saved this key
        </label>
        <Actions>
          <Button kind="primary" disabled={!isSaved} onClick={onClose}>
            Done
          </Button>
        </Actions>
      </div>
    </Dialog>
  );
}

function firstCall(key: string): string {
  return `curl ${window.location.origin}/v1/models -H "Authorization: Bearer ${key}"`;
}
