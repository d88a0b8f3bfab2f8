"use client";

import { toPage } from "#app/(portal)/portal/(home)/to-page.ts";
import { useAddress } from "#app/(portal)/portal/(home)/use-address.ts";
import { Button } from "#ui/button.tsx";

/** The page that the address asks for; the first where it asks for none. */
export function usePage(): number {
  return toPage(useAddress().read("page"));
}

type PageLinksProps = {
  pages: number;
  /** What the ways to the page before and after are called. */
  labels?: readonly [before: string, after: string];
};

/** The ways to the pages of a list, kept in the address. Nothing where there is one page. */
export function PageLinks({ pages, labels = ["Newer", "Older"] }: PageLinksProps) {
  const page = usePage();
  const { change } = useAddress();
  if (pages <= 1) return null;
  return (
    <nav aria-label="Pages" className="flex items-center justify-end gap-2">
      <Button size="small" disabled={page <= 1} onClick={() => change({ page: String(page - 1) })}>
        {labels[0]}
      </Button>
      <span className="text-quiet">
        Page {page} of {pages}
      </span>
      <Button size="small" disabled={page >= pages} onClick={() => change({ page: String(page + 1) })}>
        {labels[1]}
      </Button>
    </nav>
  );
}
