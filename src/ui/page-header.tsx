import type { ReactNode } from "react";

type PageHeaderProps = { title: ReactNode; description?: ReactNode; children?: ReactNode };

/** What the page is, in a sentence, and its one main action. */
export function PageHeader({ title, description, children }: PageHeaderProps) {
  return (
    <header className="flex flex-wrap items-start justify-between gap-x-6 gap-y-3">
      <div className="grid min-w-0 flex-1 basis-64 gap-1">
        <h1 className="text-xl font-semibold tracking-tight break-words">{title}</h1>
        {description && <p className="max-w-2xl text-quiet">{description}</p>}
      </div>
      {children && <div className="flex flex-wrap items-center gap-2">{children}</div>}
    </header>
  );
}
