"use client";

import { DropdownMenu } from "radix-ui";
import type { MenuProps } from "#ui/menu.tsx";

/** A menu that was opened once. Loaded with the first one that opens: pages do not wait for it. */
export function OpenedMenu({ trigger, entries }: MenuProps) {
  return (
    // A modal one writes a style element, which the Content-Security-Policy forbids.
    <DropdownMenu.Root modal={false} defaultOpen>
      <DropdownMenu.Trigger asChild>{trigger}</DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content
          align="end"
          sideOffset={4}
          collisionPadding={8}
          className="z-50 max-h-80 min-w-48 max-w-[calc(100vw-1rem)] overflow-y-auto rounded-lg border bg-raised p-1 shadow-lg"
        >
          {entries.map(({ key, content, onSelect }) => (
            <DropdownMenu.Item
              key={key}
              asChild={onSelect === undefined}
              {...(onSelect === undefined ? {} : { onSelect })}
              className="flex cursor-pointer items-center gap-2 rounded-md px-2.5 py-1.5 outline-none data-[highlighted]:bg-sunken [&_svg]:size-4"
            >
              {content}
            </DropdownMenu.Item>
          ))}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}
