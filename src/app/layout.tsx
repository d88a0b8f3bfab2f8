import type { Metadata, Viewport } from "next";
import type { ReactNode } from "react";
import "./layout.css";

/** The document's title and description. */
export const metadata: Metadata = {
  title: { default: "Sluice", template: "%s · Sluice" },
  description: "The LLM gateway where every team owns its logs.",
  robots: { index: false, follow: false },
};

/** Light and dark follow the system. */
export const viewport: Viewport = { colorScheme: "light dark", width: "device-width", initialScale: 1 };

/** Every page is rendered per request: the Content-Security-Policy carries a nonce that only this answer has. */
export const dynamic = "force-dynamic";

/** The frame of every page. */
export default function RootLayout({ children }: { children: ReactNode }) {
  return (
    <html lang="en">
      <body>{children}</body>
    </html>
  );
}
