import type { ReactNode } from "react";

/** A figure with its name, and a second one that puts it into proportion. */
export type Figure = { label: string; value: ReactNode; note?: ReactNode };

/** The few figures that a screen begins with. */
export function Figures({ figures }: { figures: readonly Figure[] }) {
  return (
    <dl className="grid grid-cols-2 gap-3 lg:grid-cols-4">
      {figures.map(({ label, value, note }) => (
        <div key={label} className="grid min-w-0 content-start gap-0.5 rounded-xl border bg-surface px-4 py-3">
          <dt className="text-[0.8125rem] text-quiet">{label}</dt>
          <dd className="text-2xl font-semibold tabular-nums wrap-anywhere">{value}</dd>
          {note && <dd className="text-xs text-quiet">{note}</dd>}
        </div>
      ))}
    </dl>
  );
}
