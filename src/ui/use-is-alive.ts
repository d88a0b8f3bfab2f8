"use client";

import { useSyncExternalStore } from "react";

/** False on the server, and in the browser while it takes over what the server drew. */
export function useIsAlive(): boolean {
  return useSyncExternalStore(
    neverChanges,
    () => true,
    () => false,
  );
}

function neverChanges(): () => void {
  return () => undefined;
}
