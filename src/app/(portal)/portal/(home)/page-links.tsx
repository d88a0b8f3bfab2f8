"use client";

import { usePathname, useRouter, useSearchParams } from "next/navigation";
import { Button } from "#ui/button.tsx";

/** The page that the address asks for; the first where it asks for none. */
export function usePage(): number {
  return Math.max(1, Math.trunc(Number(useSearchParams().get("page"))) || 1);
}

/** Newer and older pages of a list, kept in the address. Nothing where there is one page. */
export function PageLinks({ pages }: { pages: number }) {
  const page = usePage();
  const router = useRouter();
  const pathname = usePathname();
  const given = useSearchParams();
  if (pages <= 1) return null;
  const go = (next: number): void => {
    const address = new URLSearchParams(given);
    address.set("page", String(next));
    router.replace(`${pathname}?${address.toString()}`);
  };
  return (
    <nav aria-label="Pages" className="flex items-center justify-end gap-2">
      <Button size="small" disabled={page <= 1} onClick={() => go(page - 1)}>
        Newer
      </Button>
      <span className="text-quiet">
        Page {page} of {pages}
      </span>
      <Button size="small" disabled={page >= pages} onClick={() => go(page + 1)}>
        Older
      </Button>
    </nav>
  );
}
