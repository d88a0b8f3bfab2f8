"use client";

import { Slot } from "radix-ui";
import { lazy, type ReactNode, Suspense, useState } from "react";

/** One entry: what `onSelect` does, or without it a link as its one element. */
export type MenuEntry = { key: string; content: ReactNode; onSelect?: () => void };

/** A button, and what it opens. */
export type MenuProps = { trigger: ReactNode; entries: readonly MenuEntry[] };

const Opened = lazy(() => import("#ui/opened-menu.tsx").then(({ OpenedMenu }) => ({ default: OpenedMenu })));

/** A list of actions or links behind a button. */
export function Menu({ trigger, entries }: MenuProps) {
  const [isWanted, setWanted] = useState(false);
  const closed = (
    <Slot.Root aria-haspopup="menu" aria-expanded={false} onClick={() => setWanted(true)}>
      {trigger}
    </Slot.Root>
  );
  if (!isWanted) return closed;
  return (
    <Suspense fallback={closed}>
      <Opened trigger={trigger} entries={entries} />
    </Suspense>
  );
}
