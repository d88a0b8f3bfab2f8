import type { ReactNode } from "react";
import { Wordmark } from "#app/(portal)/portal/wordmark.tsx";

type EntranceProps = { title: string; description: string; children: ReactNode };

/** The page before one is in. */
export function Entrance({ title, description, children }: EntranceProps) {
  return (
    <main className="mx-auto grid min-h-dvh max-w-sm content-center gap-6 px-5 py-10">
      <Wordmark className="text-lg" />
      <div className="grid gap-5 rounded-xl border bg-surface p-5 sm:p-6">
        <header className="grid gap-1">
          <h1 className="text-lg font-semibold tracking-tight">{title}</h1>
          <p className="text-quiet">{description}</p>
        </header>
        {children}
      </div>
      <p className="text-[0.8125rem] text-quiet">The LLM gateway where every team owns its logs.</p>
    </main>
  );
}
