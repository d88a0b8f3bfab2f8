import type { ReactNode } from "react";
import { Shell } from "#app/(portal)/portal/(home)/shell.tsx";
import { requirePageSession } from "#auth/page-session.ts";

/** Everything behind the sign-in. What a page shows comes from procedures, which check the rights themselves. */
export default async function HomeLayout({ children }: { children: ReactNode }) {
  await requirePageSession();
  return <Shell>{children}</Shell>;
}
