import { classNames } from "#ui/class-names.ts";

type MeterProps = { label: string; value: number; max: number; text: string };

/** How much of something is used up; from four fifths on it warns, and says so in words beside the colour. */
export function Meter({ label, value, max, text }: MeterProps) {
  const share = max <= 0 ? 1 : Math.min(1, Math.max(0, value / max));
  const fill = share >= 1 ? "fill-bad" : share >= 0.8 ? "fill-warn" : "fill-accent";
  const word = share >= 1 ? "Used up" : share >= 0.8 ? "Nearly used up" : null;
  return (
    <div className="grid gap-1.5">
      <div className="flex flex-wrap items-baseline justify-between gap-x-4">
        <span className="font-medium">{label}</span>
        <span className="text-quiet tabular-nums">
          {word !== null && <span className="font-medium text-ink">{word}: </span>}
          {text}
        </span>
      </div>
      <svg
        role="meter"
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(share * 100)}
        aria-valuetext={text}
        viewBox="0 0 100 1"
        preserveAspectRatio="none"
        className="h-2 w-full overflow-hidden rounded-full bg-sunken"
      >
        <rect width={share * 100} height="1" className={classNames(fill)} />
      </svg>
    </div>
  );
}
