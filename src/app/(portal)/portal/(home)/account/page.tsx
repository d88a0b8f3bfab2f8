import type { Metadata } from "next";
import { AccountScreen } from "#app/(portal)/portal/(home)/account/account-screen.tsx";
import { Prefetched } from "#trpc/page-reads.tsx";

/** The page's title. */
export const metadata: Metadata = { title: "Account" };

/** One's own sign-in. */
export default function AccountPage() {
  return (
    <Prefetched reads={({ trpc, read }) => read(trpc.account.sessions.queryOptions())}>
      <AccountScreen />
    </Prefetched>
  );
}
