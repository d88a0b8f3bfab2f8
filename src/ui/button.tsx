import { cva, type VariantProps } from "class-variance-authority";
import { LoaderCircle } from "lucide-react";
import { Slot } from "radix-ui";
import type { ComponentProps } from "react";
import { classNames } from "#ui/class-names.ts";

const look = cva(
  "inline-flex items-center justify-center gap-1.5 rounded-md font-medium whitespace-nowrap transition-colors disabled:opacity-55 [&_svg]:size-4 [&_svg]:shrink-0",
  {
    variants: {
      kind: {
        primary: "bg-accent text-accent-ink hover:enabled:opacity-90 [a&]:hover:opacity-90",
        secondary: "border border-line-strong/60 bg-surface text-ink hover:bg-sunken",
        quiet: "text-quiet hover:bg-sunken hover:text-ink",
        danger: "bg-bad text-bad-ink hover:enabled:opacity-90",
      },
      size: { small: "h-8 px-2.5 text-[0.8125rem]", normal: "h-9 px-3.5", icon: "size-8" },
    },
    defaultVariants: { kind: "secondary", size: "normal" },
  },
);

type ButtonProps = ComponentProps<"button"> &
  VariantProps<typeof look> & {
    /** Styles the one child, such as a link, instead of making a button. */
    asChild?: boolean;
    /** Shows that its work is under way, and takes no second click. */
    isPending?: boolean;
  };

/** A button, or what looks like one. */
export function Button({ kind, size, asChild, isPending = false, className, children, ...rest }: ButtonProps) {
  const classes = classNames(look({ kind, size }), className);
  if (asChild) {
    return (
      <Slot.Root className={classes} {...rest}>
        {children}
      </Slot.Root>
    );
  }
  return (
    <button
      type="button"
      {...rest}
      className={classes}
      disabled={rest.disabled === true || isPending}
      aria-busy={isPending || undefined}
    >
      {isPending && <LoaderCircle className="animate-spin" aria-hidden />}
      {children}
    </button>
  );
}
