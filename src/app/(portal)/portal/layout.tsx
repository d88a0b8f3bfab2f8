import type { ReactNode } from "react";
import { Providers } from "#app/(portal)/portal/providers.tsx";

/** What every page of the portal has, signed in or not. */
export default function PortalLayout({ children }: { children: ReactNode }) {
  return (
    <Providers>
      {children}
      <noscript>
        <p className="p-6">The portal needs JavaScript. Everything that it does can be done over REST as well.</p>
      </noscript>
    </Providers>
  );
}
