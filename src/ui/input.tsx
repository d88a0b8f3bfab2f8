import { ChevronDown } from "lucide-react";
import type { ComponentProps } from "react";
import { classNames } from "#ui/class-names.ts";

const look =
  "w-full rounded-md border border-line-strong bg-surface px-3 text-ink aria-invalid:border-bad disabled:opacity-60";

// A list of choices counts as read-only to the style sheet, so only what is written in says that it is.
const written = "read-only:bg-sunken";

/** One line of text. */
export function Input({ className, ...rest }: ComponentProps<"input">) {
  return <input {...rest} className={classNames(look, written, "h-9", className)} />;
}

/** Several lines of text. */
export function Textarea({ className, ...rest }: ComponentProps<"textarea">) {
  return (
    <textarea {...rest} className={classNames(look, written, "min-h-24 py-2 font-mono text-[0.8125rem]", className)} />
  );
}

/** A choice of few, by the system's own list. */
export function Select({ className, children, ...rest }: ComponentProps<"select">) {
  return (
    <span className={classNames("relative block", className)}>
      <select {...rest} className={classNames(look, "h-9 appearance-none pr-8")}>
        {children}
      </select>
      <ChevronDown className="pointer-events-none absolute top-2.5 right-2.5 size-4 text-quiet" aria-hidden />
    </span>
  );
}
