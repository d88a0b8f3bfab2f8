"use client";

import { useSearchParams } from "next/navigation";

/**
 * What the address holds of a screen, and the ways to change it; an empty value takes its name out. `change` replaces the
 * address, `visit` leaves the way back. Both start from the address as it is at that moment, so that of two changes made
 * faster than the screen is drawn none is lost.
 */
export function useAddress() {
  const given = useSearchParams();
  return {
    read: (name: string): string => given.get(name) ?? "",
    isEmpty: given.size === 0,
    change: (changes: Record<string, string>): void => window.history.replaceState(null, "", addressWith(changes)),
    visit: (changes: Record<string, string>): void => window.history.pushState(null, "", addressWith(changes)),
  };
}

function addressWith(changes: Record<string, string>): string {
  const { pathname, search } = window.location;
  const address = new URLSearchParams(search);
  for (const [name, value] of Object.entries(changes)) {
    if (value === "") address.delete(name);
    else address.set(name, value);
  }
  const query = address.toString();
  return query === "" ? pathname : `${pathname}?${query}`;
}
