"use client";

import { CopyButton } from "#ui/copy-button.tsx";

/** A text to be read or copied as it is; scrolls sideways, also by keyboard. */
export function CodeBlock({ code, label }: { code: string; label: string }) {
  return (
    <div className="min-w-0 rounded-lg border bg-sunken">
      <div className="flex items-center justify-between gap-2 border-b py-1.5 pr-1.5 pl-3.5">
        <span className="text-xs font-medium text-quiet">{label}</span>
        <CopyButton text={code} what={label} />
      </div>
      <pre
        tabIndex={0}
        role="region"
        aria-label={label}
        className="max-h-96 overflow-auto px-3.5 py-3 font-mono text-[0.8125rem] leading-relaxed"
      >
        <code>{code}</code>
      </pre>
    </div>
  );
}
