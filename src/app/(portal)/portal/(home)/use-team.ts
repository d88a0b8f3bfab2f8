"use client";

import { useQuery } from "@tanstack/react-query";
import { useParams } from "next/navigation";
import { useTRPC } from "#trpc/client.tsx";

/** The id of the team whose page this is. */
export function useTeamId(): string {
  const { teamId } = useParams();
  return decodeURIComponent(String(teamId));
}

/** The team whose page this is, and whether one may change it. */
export function useTeam() {
  const teamId = useTeamId();
  return { teamId, team: useQuery(useTRPC().teams.get.queryOptions({ teamId })) };
}
