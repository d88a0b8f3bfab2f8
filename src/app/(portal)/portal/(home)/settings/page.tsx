import type { Metadata } from "next";
import { SettingsScreen } from "#app/(portal)/portal/(home)/settings/settings-screen.tsx";
import { Prefetched } from "#trpc/page-reads.tsx";

/** The page's title. */
export const metadata: Metadata = { title: "Settings" };

/** What the operator's configuration makes hold for everybody. */
export default function SettingsPage() {
  return (
    <Prefetched reads={({ trpc, read }) => read(trpc.settings.get.queryOptions())}>
      <SettingsScreen />
    </Prefetched>
  );
}
