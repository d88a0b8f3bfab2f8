"use client";

import { usePathname, useRouter, useSearchParams } from "next/navigation";

/** What the address holds of a screen, and the way to change it; an empty value takes its name out. */
export function useAddress() {
  const router = useRouter();
  const pathname = usePathname();
  const given = useSearchParams();
  return {
    read: (name: string): string => given.get(name) ?? "",
    change: (changes: Record<string, string>): void => {
      const address = new URLSearchParams(given);
      for (const [name, value] of Object.entries(changes)) {
        if (value === "") address.delete(name);
        else address.set(name, value);
      }
      const query = address.toString();
      router.replace(query === "" ? pathname : `${pathname}?${query}`);
    },
  };
}
