"use client";

import { X } from "lucide-react";
import { Dialog as Radix } from "radix-ui";
import { Button } from "#ui/button.tsx";
import { classNames } from "#ui/class-names.ts";
import type { DialogProps } from "#ui/dialog.tsx";

/** An open dialog. Loaded with the first one that opens: pages do not wait for it. */
export function DialogFrame({ onOpenChange, title, description, children, mustAnswer, className }: DialogProps) {
  const stay = (event: Event): void => {
    if (mustAnswer) event.preventDefault();
  };
  return (
    <Radix.Root open onOpenChange={onOpenChange}>
      <Radix.Portal>
        {/* Radix's own overlay writes a style element, which the Content-Security-Policy forbids. */}
        <div className="fixed inset-0 z-40 bg-shade" aria-hidden />
        <Radix.Content
          onEscapeKeyDown={stay}
          onPointerDownOutside={stay}
          {...(description ? {} : { "aria-describedby": undefined })}
          className={classNames(
            "fixed top-1/2 left-1/2 z-50 grid max-h-[calc(100dvh-2rem)] w-[calc(100vw-2rem)] max-w-lg -translate-x-1/2 -translate-y-1/2 gap-4 overflow-y-auto rounded-xl border bg-raised p-5 shadow-xl focus:outline-none",
            className,
          )}
        >
          <header className="grid gap-1 pr-8">
            <Radix.Title className="text-base font-semibold">{title}</Radix.Title>
            {description && (
              <Radix.Description asChild>
                <div className="text-quiet">{description}</div>
              </Radix.Description>
            )}
          </header>
          {children}
          {!mustAnswer && (
            <Radix.Close asChild>
              <Button kind="quiet" size="icon" className="absolute top-3.5 right-3.5" aria-label="Close">
                <X aria-hidden />
              </Button>
            </Radix.Close>
          )}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
