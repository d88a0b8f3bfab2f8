import type { Metadata } from "next";
import { type PageProps, readPage } from "#app/(portal)/portal/(home)/read-page.ts";
import { AuditScreen } from "#app/(portal)/portal/(home)/audit/audit-screen.tsx";
import { toPage } from "#app/(portal)/portal/(home)/to-page.ts";
import { toAction, toObjectType } from "#app/(portal)/portal/(home)/audit/audit-words.ts";
import { Prefetched } from "#trpc/page-reads.tsx";

/** The page's title. */
export const metadata: Metadata = { title: "All changes" };

/** Who changed what in the whole gateway. */
export default async function AuditPage(props: PageProps) {
  const { readAddress } = await readPage(props);
  const [action, objectType] = [toAction(readAddress("action")), toObjectType(readAddress("object"))];
  const filter = { ...(action ? { action } : {}), ...(objectType ? { objectType } : {}) };
  return (
    <Prefetched
      reads={({ trpc, read }) => read(trpc.audit.all.queryOptions({ page: toPage(readAddress("page")), ...filter }))}
    >
      <AuditScreen />
    </Prefetched>
  );
}
