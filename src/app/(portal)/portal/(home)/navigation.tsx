"use client";

import {
  KeyRound,
  LayoutDashboard,
  ListChecks,
  type LucideIcon,
  Send,
  ShieldCheck,
  Users,
  UsersRound,
} from "lucide-react";
import Link from "next/link";
import { usePathname } from "next/navigation";
import { teamIdOf, teamPath } from "#app/(portal)/portal/(home)/team-path.ts";

type Place = { href: string; label: string; icon: LucideIcon };

/** Where one can go: the pages of the team, and the list of teams. */
export function Navigation() {
  const teamId = teamIdOf(usePathname());
  return (
    <nav aria-label="Main" className="grid gap-4">
      {teamId !== null && <Places label="Team" places={placesOf(teamId)} />}
      <Places label="Gateway" places={gatewayPlaces} />
    </nav>
  );
}

const gatewayPlaces: readonly Place[] = [{ href: "/portal/teams", label: "Teams", icon: Users }];

function placesOf(teamId: string): Place[] {
  return [
    { href: teamPath(teamId), label: "Overview", icon: LayoutDashboard },
    { href: teamPath(teamId, "destinations"), label: "Destinations", icon: Send },
    { href: teamPath(teamId, "deliveries"), label: "Deliveries", icon: ListChecks },
    { href: teamPath(teamId, "policy"), label: "Logging policy", icon: ShieldCheck },
    { href: teamPath(teamId, "keys"), label: "API keys", icon: KeyRound },
    { href: teamPath(teamId, "members"), label: "Members", icon: UsersRound },
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
