"use client";

import { useQuery } from "@tanstack/react-query";
import { AuditCard } from "#app/(portal)/portal/(home)/audit/audit-card.tsx";
import { AuditFilters } from "#app/(portal)/portal/(home)/audit/audit-filters.tsx";
import { toAction, toObjectType } from "#app/(portal)/portal/(home)/audit/audit-words.ts";
import { usePage } from "#app/(portal)/portal/(home)/page-links.tsx";
import { useAddress } from "#app/(portal)/portal/(home)/use-address.ts";
import { useTRPC } from "#trpc/client.tsx";
import { PageHeader } from "#ui/page-header.tsx";

/** Who changed what in the whole gateway. */
export function AuditScreen() {
  const page = usePage();
  const { read } = useAddress();
  const [action, objectType] = [toAction(read("action")), toObjectType(read("object"))];
  const filter = { ...(action ? { action } : {}), ...(objectType ? { objectType } : {}) };
  const changes = useQuery(useTRPC().audit.all.queryOptions({ page, ...filter }));
  return (
    <>
      <PageHeader
        title="All changes"
        description="Who changed what, in every team and of every user. Secrets are masked, and nothing is ever removed."
      />
      <AuditFilters hasObjects />
      <AuditCard query={changes} isFiltered={action !== undefined || objectType !== undefined} />
    </>
  );
}
