"use client";

import { Search } from "lucide-react";
import { useRouter } from "next/navigation";
import { type KeyboardEvent as KeyEvent, useEffect, useId, useState } from "react";
import { type Choice, useChoices } from "#app/(portal)/portal/(home)/use-choices.ts";
import { Dialog } from "#ui/dialog.tsx";
import { Input } from "#ui/input.tsx";

/** A way to every page by a few letters: a button, and Ctrl or Cmd with K from anywhere. */
export function CommandPalette() {
  const [isOpen, setOpen] = useState(false);
  useEffect(() => {
    const toggle = (event: KeyboardEvent): void => {
      if (!(event.ctrlKey || event.metaKey) || event.altKey || event.key.toLowerCase() !== "k") return;
      event.preventDefault();
      setOpen((wasOpen) => !wasOpen);
    };
    window.addEventListener("keydown", toggle);
    return () => window.removeEventListener("keydown", toggle);
  }, []);
  return (
    <>
      <button
        type="button"
        aria-keyshortcuts="Control+K Meta+K"
        onClick={() => setOpen(true)}
        className="flex h-9 w-full items-center gap-2 rounded-md border bg-ground px-2.5 text-left text-quiet hover:bg-sunken"
      >
        <Search className="size-4 shrink-0" aria-hidden />
        <span className="flex-1">Go to …</span>
        <kbd className="rounded border bg-surface px-1.5 font-sans text-xs" aria-hidden>
          Ctrl K
        </kbd>
      </button>
      <Dialog isOpen={isOpen} onOpenChange={setOpen} title="Go to" className="top-16 translate-y-0">
        <Choices onGone={() => setOpen(false)} />
      </Dialog>
    </>
  );
}

function Choices({ onGone }: { onGone: () => void }) {
  const router = useRouter();
  const listId = useId();
  const [text, setText] = useState("");
  const [wanted, setWanted] = useState(0);
  const choices = useChoices(text);
  const at = Math.min(wanted, choices.length - 1);

  function go(choice: Choice | undefined): void {
    if (!choice) return;
    onGone();
    router.push(choice.href);
  }

  function steer(event: KeyEvent): void {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Enter") go(choices[at]);
    else if (step !== undefined && choices.length > 0) setWanted((at + step + choices.length) % choices.length);
    else return;
    event.preventDefault();
  }

  return (
    <div className="grid min-w-0 gap-3">
      <Input
        role="combobox"
        aria-label="Page, team or call id"
        aria-autocomplete="list"
        aria-expanded
        aria-controls={listId}
        aria-activedescendant={at < 0 ? undefined : `${listId}-${String(at)}`}
        placeholder="Page, team or call id"
        autoComplete="off"
        spellCheck={false}
        maxLength={256}
        value={text}
        onKeyDown={steer}
        onChange={(event) => {
          setText(event.target.value);
          setWanted(0);
        }}
      />
      <ul id={listId} role="listbox" aria-label="Choices" className="max-h-80 overflow-y-auto">
        {choices.map((choice, index) => (
          <li
            key={choice.href}
            id={`${listId}-${String(index)}`}
            ref={index === at ? keepInSight : null}
            role="option"
            aria-selected={index === at}
            onPointerMove={() => setWanted(index)}
            onClick={() => go(choice)}
            className="flex cursor-pointer items-baseline justify-between gap-4 rounded-md px-2.5 py-1.5 aria-selected:bg-accent-soft aria-selected:text-accent"
          >
            <span className="truncate font-medium">{choice.label}</span>
            <span className="shrink-0 text-xs text-quiet">{choice.kind}</span>
          </li>
        ))}
      </ul>
      {choices.length === 0 && (
        <p role="status" className="text-quiet">
          No page and no team is called so.
        </p>
      )}
    </div>
  );
}

function keepInSight(element: HTMLLIElement | null): void {
  element?.scrollIntoView({ block: "nearest" });
}
