"use client";

import { classNames } from "#ui/class-names.ts";

type SwitchProps = {
  "aria-label": string;
  checked: boolean;
  disabled?: boolean;
  onCheckedChange: (checked: boolean) => void;
};

/** On or off, at once. */
export function Switch({ checked, onCheckedChange, ...rest }: SwitchProps) {
  return (
    <button
      {...rest}
      type="button"
      role="switch"
      aria-checked={checked}
      onClick={() => onCheckedChange(!checked)}
      className={classNames(
        "h-6 w-10 shrink-0 rounded-full border transition-colors disabled:opacity-50",
        checked ? "border-accent bg-accent" : "border-line-strong bg-sunken",
      )}
    >
      <span
        className={classNames(
          "block size-4 rounded-full transition-transform",
          checked ? "translate-x-[1.125rem] bg-accent-ink" : "translate-x-1 bg-line-strong",
        )}
      />
    </button>
  );
}
