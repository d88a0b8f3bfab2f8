"use client";

import { Check, Copy } from "lucide-react";
import { useState } from "react";
import { Button } from "#ui/button.tsx";

type CopyButtonProps = { text: string; label?: string; what?: string };

/** Copies a text, and says that it did. */
export function CopyButton({ text, label = "Copy", what }: CopyButtonProps) {
  const [isCopied, setCopied] = useState(false);
  async function copy(): Promise<void> {
    await navigator.clipboard.writeText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), 2_000);
  }
  return (
    <Button size="small" onClick={() => void copy()} aria-label={what === undefined ? undefined : `${label} ${what}`}>
      {isCopied ? <Check aria-hidden /> : <Copy aria-hidden />}
      <span aria-live="polite">{isCopied ? "Copied" : label}</span>
    </Button>
  );
}
