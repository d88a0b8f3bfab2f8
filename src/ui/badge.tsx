import { CircleAlert, CircleCheck, CircleDashed, CircleSlash, Clock } from "lucide-react";
import type { ReactNode } from "react";
import { classNames } from "#ui/class-names.ts";

const tones = {
  good: { icon: CircleCheck, look: "bg-good-soft text-good" },
  bad: { icon: CircleAlert, look: "bg-bad-soft text-bad" },
  warn: { icon: Clock, look: "bg-warn-soft text-warn" },
  off: { icon: CircleSlash, look: "bg-sunken text-quiet" },
  unknown: { icon: CircleDashed, look: "bg-sunken text-quiet" },
} as const;

/** What a badge says beside its words; each tone has a sign of its own, so that colour is never all there is. */
export type Tone = keyof typeof tones;

/** The state of something in a word. */
export function Badge({ tone, children }: { tone: Tone; children: ReactNode }) {
  const { icon: Icon, look } = tones[tone];
  return (
    <span
      className={classNames(
        "inline-flex h-6 w-fit items-center gap-1 rounded-full px-2 text-xs font-medium whitespace-nowrap",
        look,
      )}
    >
      <Icon className="size-3.5" aria-hidden />
      {children}
    </span>
  );
}
