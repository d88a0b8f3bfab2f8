import { CircleAlert, CircleCheck, Info } from "lucide-react";
import type { ReactNode } from "react";
import { classNames } from "#ui/class-names.ts";

const tones = {
  good: { icon: CircleCheck, look: "border-good/40 bg-good-soft", sign: "text-good" },
  bad: { icon: CircleAlert, look: "border-bad/40 bg-bad-soft", sign: "text-bad" },
  warn: { icon: CircleAlert, look: "border-warn/40 bg-warn-soft", sign: "text-warn" },
  plain: { icon: Info, look: "bg-sunken", sign: "text-quiet" },
} as const;

type NoticeProps = { tone: keyof typeof tones; title?: string; children?: ReactNode };

/** Something to know before going on; a bad one is read out at once. */
export function Notice({ tone, title, children }: NoticeProps) {
  const { icon: Icon, look, sign } = tones[tone];
  return (
    <div
      role={tone === "bad" ? "alert" : "status"}
      className={classNames("flex min-w-0 gap-2.5 rounded-lg border px-3.5 py-3", look)}
    >
      <Icon className={classNames("mt-0.5 size-4 shrink-0", sign)} aria-hidden />
      <div className="grid min-w-0 gap-0.5 break-words">
        {title && <p className="font-medium">{title}</p>}
        {children && <div>{children}</div>}
      </div>
    </div>
  );
}
