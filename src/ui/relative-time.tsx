"use client";

import { useTimes } from "#ui/times.tsx";

const units = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
] as const;

/** How long ago or ahead a time is, or the time in UTC where one wants that; on hover the time itself, here and in UTC. */
export function RelativeTime({ iso }: { iso: string }) {
  const { now, timeZone, isUtc } = useTimes();
  const time = new Date(iso);
  const words = toWords(time.getTime() - now);
  const utc = `${iso.slice(0, 19).replace("T", " ")} UTC`;
  const here = timeZone === undefined ? time.toLocaleString() : words;
  return (
    <time dateTime={iso} title={`${here}\n${utc}`} className="whitespace-nowrap tabular-nums">
      {isUtc ? utc : words}
    </time>
  );
}

function toWords(differenceMs: number): string {
  const [unit, unitMs] = units.find(([, ms]) => Math.abs(differenceMs) >= ms) ?? ["second", 1_000];
  if (unit === "second" && Math.abs(differenceMs) < 10_000) return "just now";
  return new Intl.RelativeTimeFormat("en", { numeric: "auto" }).format(Math.round(differenceMs / unitMs), unit);
}
