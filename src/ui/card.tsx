import type { ComponentProps, ReactNode } from "react";
import { classNames } from "#ui/class-names.ts";

/** A part of a page on its own ground. */
export function Card({ className, ...rest }: ComponentProps<"section">) {
  return <section {...rest} className={classNames("min-w-0 rounded-xl border bg-surface", className)} />;
}

type CardHeaderProps = { title: string; description?: ReactNode; children?: ReactNode; id?: string };

/** Title, one sentence, and what one can do with the part. */
export function CardHeader({ title, description, children, id }: CardHeaderProps) {
  return (
    <header className="flex flex-wrap items-start justify-between gap-x-4 gap-y-2 border-b px-4 py-3 sm:px-5">
      <div className="grid min-w-0 flex-1 basis-56 gap-0.5">
        <h2 id={id} className="font-semibold">
          {title}
        </h2>
        {description && <p className="text-[0.8125rem] text-quiet">{description}</p>}
      </div>
      {children && <div className="flex flex-wrap items-center gap-2">{children}</div>}
    </header>
  );
}

/** The content of a part. */
export function CardBody({ className, ...rest }: ComponentProps<"div">) {
  return <div {...rest} className={classNames("grid gap-4 px-4 py-4 sm:px-5", className)} />;
}
