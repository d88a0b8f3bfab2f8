"use client";

import { useQuery } from "@tanstack/react-query";
import {
  ChartColumn,
  History,
  KeyRound,
  LayoutDashboard,
  ListChecks,
  type LucideIcon,
  Send,
  Settings2,
  ShieldCheck,
  UserRoundCog,
  Users,
  UsersRound,
} from "lucide-react";
import Link from "next/link";
import { usePathname } from "next/navigation";
import { teamIdOf, teamPath } from "#app/(portal)/portal/(home)/team-path.ts";
import { useTRPC } from "#trpc/client.tsx";

/** A page that one can go to. */
export type Place = { href: string; label: string; icon: LucideIcon };

/** Where one can go: the pages of the team, the list of teams, and what is for who reads everything. */
export function Navigation() {
  const { team, gateway } = usePlaces();
  return (
    <nav aria-label="Main" className="grid gap-4">
      {team.length > 0 && <Places label="Team" places={team} />}
      <Places label="Gateway" places={gateway} />
    </nav>
  );
}

/** The pages that there are for whoever is signed in, here. */
export function usePlaces(): { team: readonly Place[]; gateway: readonly Place[] } {
  const teamId = teamIdOf(usePathname());
  const { data: me } = useQuery(useTRPC().account.me.queryOptions());
  const readsEverything = me?.role === "proxy_admin" || me?.role === "proxy_admin_viewer";
  return {
    team: teamId === null ? [] : placesOf(teamId),
    gateway: readsEverything ? [teams, ...administration] : [teams],
  };
}

const teams: Place = { href: "/portal/teams", label: "Teams", icon: Users };
const administration: readonly Place[] = [
  { href: "/portal/usage", label: "All usage", icon: ChartColumn },
  { href: "/portal/users", label: "Users", icon: UserRoundCog },
  { href: "/portal/audit", label: "All changes", icon: History },
  { href: "/portal/settings", label: "Settings", icon: Settings2 },
];

function placesOf(teamId: string): Place[] {
  return [
    { href: teamPath(teamId), label: "Overview", icon: LayoutDashboard },
    { href: teamPath(teamId, "destinations"), label: "Destinations", icon: Send },
    { href: teamPath(teamId, "deliveries"), label: "Deliveries", icon: ListChecks },
    { href: teamPath(teamId, "policy"), label: "Logging policy", icon: ShieldCheck },
    { href: teamPath(teamId, "keys"), label: "API keys", icon: KeyRound },
    { href: teamPath(teamId, "usage"), label: "Usage", icon: ChartColumn },
    { href: teamPath(teamId, "members"), label: "Members", icon: UsersRound },
    { href: teamPath(teamId, "audit"), label: "Audit log", icon: History },
  ];
}

function Places({ label, places }: { label: string; places: readonly Place[] }) {
  const pathname = usePathname();
  return (
    <div className="grid gap-0.5">
      <p className="px-2.5 pb-1 text-xs font-medium text-quiet">{label}</p>
      {places.map(({ href, label: name, icon: Icon }) => {
        const isExact = /^\/portal\/teams(\/[^/]+)?$/.test(href);
        const isHere = pathname === href || (!isExact && pathname.startsWith(`${href}/`));
        return (
          <Link
            key={href}
            href={href}
            aria-current={isHere ? "page" : undefined}
            className="flex h-8.5 items-center gap-2.5 rounded-md px-2.5 text-quiet hover:bg-sunken hover:text-ink aria-[current=page]:bg-accent-soft aria-[current=page]:font-medium aria-[current=page]:text-accent"
          >
            <Icon className="size-4" aria-hidden />
            {name}
          </Link>
        );
      })}
    </div>
  );
}
