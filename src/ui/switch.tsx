"use client";

import { Switch as Radix } from "radix-ui";
import type { ComponentProps } from "react";
import { classNames } from "#ui/class-names.ts";

/** On or off, at once. Needs a label (`aria-label` or `aria-labelledby`). */
export function Switch({ className, ...rest }: ComponentProps<typeof Radix.Root>) {
  return (
    <Radix.Root
      {...rest}
      className={classNames(
        "h-6 w-10 shrink-0 rounded-full border border-line-strong bg-sunken transition-colors data-[state=checked]:border-accent data-[state=checked]:bg-accent disabled:opacity-50",
        className,
      )}
    >
      <Radix.Thumb className="block size-4 translate-x-1 rounded-full bg-line-strong transition-transform data-[state=checked]:translate-x-[1.125rem] data-[state=checked]:bg-accent-ink" />
    </Radix.Root>
  );
}
