"use client";

import { useQuery } from "@tanstack/react-query";
import { AuditCard } from "#app/(portal)/portal/(home)/audit/audit-card.tsx";
import { AuditFilters } from "#app/(portal)/portal/(home)/audit/audit-filters.tsx";
import { toAction } from "#app/(portal)/portal/(home)/audit/audit-words.ts";
import { usePage } from "#app/(portal)/portal/(home)/page-links.tsx";
import { useAddress } from "#app/(portal)/portal/(home)/use-address.ts";
import { useTeamId } from "#app/(portal)/portal/(home)/use-team.ts";
import { useTRPC } from "#trpc/client.tsx";
import { PageHeader } from "#ui/page-header.tsx";

/** Who changed what of the team. */
export function TeamAuditScreen() {
  const teamId = useTeamId();
  const page = usePage();
  const action = toAction(useAddress().read("action"));
  const changes = useQuery(useTRPC().audit.ofTeam.queryOptions({ teamId, page, ...(action ? { action } : {}) }));
  return (
    <>
      <PageHeader
        title="Audit log"
        description="Who changed what of this team, its keys and its failed logs. Secrets are masked."
      />
      <AuditFilters />
      <AuditCard query={changes} isFiltered={action !== undefined} />
    </>
  );
}
