"use client";

const units = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
] as const;

/** How long ago or ahead a time is; on hover the time itself, here and in UTC, which logs are written in. */
export function RelativeTime({ iso }: { iso: string }) {
  const time = new Date(iso);
  return (
    <time
      dateTime={iso}
      title={`${time.toLocaleString()}\n${iso.slice(0, 19).replace("T", " ")} UTC`}
      className="whitespace-nowrap"
    >
      {toWords(time.getTime() - Date.now())}
    </time>
  );
}

function toWords(differenceMs: number): string {
  const [unit, unitMs] = units.find(([, ms]) => Math.abs(differenceMs) >= ms) ?? ["second", 1_000];
  if (unit === "second" && Math.abs(differenceMs) < 10_000) return "just now";
  return new Intl.RelativeTimeFormat("en", { numeric: "auto" }).format(Math.round(differenceMs / unitMs), unit);
}
