import type { Metadata } from "next";
import { type PageProps, readPage } from "#app/(portal)/portal/(home)/read-page.ts";
import { UsersScreen } from "#app/(portal)/portal/(home)/users/users-screen.tsx";
import { toPage } from "#app/(portal)/portal/(home)/to-page.ts";
import { Prefetched } from "#trpc/page-reads.tsx";

/** The page's title. */
export const metadata: Metadata = { title: "Users" };

/** Who may use the gateway, and as what. */
export default async function UsersPage(props: PageProps) {
  const { readAddress } = await readPage(props);
  return (
    <Prefetched
      reads={({ trpc, read }) =>
        read(trpc.users.list.queryOptions({ search: readAddress("search"), page: toPage(readAddress("page")) }))
      }
    >
      <UsersScreen />
    </Prefetched>
  );
}
