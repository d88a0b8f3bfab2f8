"use client";

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { usePathname } from "next/navigation";
import { useDeferredValue } from "react";
import { usePlaces } from "#app/(portal)/portal/(home)/navigation.tsx";
import { teamIdOf, teamPath } from "#app/(portal)/portal/(home)/team-path.ts";
import { useTRPC } from "#trpc/client.tsx";

/** Somewhere to go. */
export type Choice = { href: string; label: string; kind: string };

const teamsMax = 15;
/** Ids of calls are longer than what anybody types to find a page. */
const idLengthMin = 8;

/** Where a few words lead: the pages of the team and of the gateway, other teams, and the call that has them as its id. */
export function useChoices(text: string): Choice[] {
  const { team, gateway } = usePlaces();
  const teamId = teamIdOf(usePathname());
  const search = useDeferredValue(text.trim());
  const { data: teams = [] } = useQuery(
    useTRPC().teams.list.queryOptions({ search, limit: teamsMax }, { placeholderData: keepPreviousData }),
  );
  const words = text.toLowerCase().split(/\s+/);
  const fits = (name: string): boolean => words.every((word) => name.toLowerCase().includes(word));
  const pages = [
    ...team.map(({ href, label }) => ({ href, label, kind: "This team" })),
    ...(teamId === null
      ? []
      : [{ href: teamPath(teamId, "destinations/new"), label: "Add a destination", kind: "This team" }]),
    ...gateway.map(({ href, label }) => ({ href, label, kind: "Gateway" })),
    { href: "/portal/account", label: "Account", kind: "Gateway" },
  ].filter(({ label }) => fits(label));
  const others = teams
    .filter(({ team_id, team_alias }) => team_id !== teamId && fits(`${team_alias ?? ""} ${team_id}`))
    .map(({ team_id, team_alias }) => ({ href: teamPath(team_id), label: team_alias ?? team_id, kind: "Team" }));
  const id = text.trim();
  const call =
    teamId !== null && id.length >= idLengthMin && !id.includes(" ")
      ? [{ href: teamPath(teamId, `deliveries?id=${encodeURIComponent(id)}`), label: id, kind: "Deliveries of a call" }]
      : [];
  return [...pages, ...others, ...call];
}
