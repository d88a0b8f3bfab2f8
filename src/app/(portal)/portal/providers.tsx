"use client";

import type { ReactNode } from "react";
import { TrpcProvider } from "#trpc/client.tsx";
import { ToasterProvider } from "#ui/toaster.tsx";

/** The client of the gateway, and the messages in the corner. */
export function Providers({ children }: { children: ReactNode }) {
  return (
    <TrpcProvider onSignedOut={goToSignIn}>
      <ToasterProvider>{children}</ToasterProvider>
    </TrpcProvider>
  );
}

function goToSignIn(): void {
  const { pathname, search } = window.location;
  if (pathname.startsWith("/portal/sign-in") || pathname.startsWith("/portal/invitation")) return;
  window.location.assign(`/portal/sign-in?next=${encodeURIComponent(pathname + search)}`);
}
