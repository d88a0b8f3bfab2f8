"use client";

import { DropdownMenu } from "radix-ui";
import type { ReactNode } from "react";

/** A list of actions or links behind a button. */
export function Menu({ trigger, children }: { trigger: ReactNode; children: ReactNode }) {
  return (
    // A modal one writes a style element, which the Content-Security-Policy forbids.
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger asChild>{trigger}</DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content
          align="end"
          sideOffset={4}
          collisionPadding={8}
          className="z-50 max-h-80 min-w-48 max-w-[calc(100vw-1rem)] overflow-y-auto rounded-lg border bg-raised p-1 shadow-lg"
        >
          {children}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

type MenuItemProps = { onSelect?: () => void; asChild?: boolean; isDanger?: boolean; children: ReactNode };

/** One action of a menu; with `asChild` its one child, such as a link. */
export function MenuItem({ onSelect, asChild = false, isDanger = false, children }: MenuItemProps) {
  return (
    <DropdownMenu.Item
      asChild={asChild}
      {...(onSelect ? { onSelect } : {})}
      className={`flex cursor-pointer items-center gap-2 rounded-md px-2.5 py-1.5 outline-none data-[highlighted]:bg-sunken [&_svg]:size-4 ${isDanger ? "text-bad" : ""}`}
    >
      {children}
    </DropdownMenu.Item>
  );
}
