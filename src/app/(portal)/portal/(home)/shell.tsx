"use client";

import { useQuery } from "@tanstack/react-query";
import { ChevronsUpDown, Clock, LogOut, Menu as MenuIcon, UserRound } from "lucide-react";
import Link from "next/link";
import { usePathname } from "next/navigation";
import { type ReactNode, useEffect, useState } from "react";
import { CommandPalette } from "#app/(portal)/portal/(home)/command-palette.tsx";
import { Navigation } from "#app/(portal)/portal/(home)/navigation.tsx";
import { switcherTeams, teamIdOf, teamPath } from "#app/(portal)/portal/(home)/team-path.ts";
import { Wordmark } from "#app/(portal)/portal/wordmark.tsx";
import { useTRPC } from "#trpc/client.tsx";
import { Button } from "#ui/button.tsx";
import { Menu } from "#ui/menu.tsx";
import { useTimes } from "#ui/times.tsx";
import { useToast } from "#ui/toaster.tsx";
import { useIsAlive } from "#ui/use-is-alive.ts";

/** The frame of every page behind the sign-in: where one is, and where one can go. */
export function Shell({ children }: { children: ReactNode }) {
  const pathname = usePathname();
  const [isOpen, setOpen] = useState(false);
  useEffect(() => setOpen(false), [pathname]);
  usePreload();
  // What is seen before it works would swallow clicks.
  const isAlive = useIsAlive();
  return (
    <div inert={!isAlive} className="min-h-dvh lg:grid lg:grid-cols-[15rem_minmax(0,1fr)]">
      <a
        href="#content"
        className="sr-only focus:not-sr-only focus:fixed focus:top-2 focus:left-2 focus:z-50 focus:rounded-md focus:bg-raised focus:px-3 focus:py-2"
      >
        Skip to the content
      </a>
      <header className="sticky top-0 z-30 flex h-13 items-center justify-between border-b bg-surface px-4 lg:hidden">
        <Link href="/portal" aria-label="Sluice, all teams">
          <Wordmark />
        </Link>
        <Button kind="quiet" size="icon" aria-expanded={isOpen} aria-label="Menu" onClick={() => setOpen(!isOpen)}>
          <MenuIcon aria-hidden />
        </Button>
      </header>
      <aside
        className={`${isOpen ? "flex" : "hidden"} flex-col gap-4 border-b bg-surface p-3 *:shrink-0 lg:sticky lg:top-0 lg:flex lg:h-dvh lg:overflow-y-auto lg:border-r lg:border-b-0`}
      >
        <Link href="/portal" className="hidden px-2 pt-1.5 lg:block" aria-label="Sluice, all teams">
          <Wordmark />
        </Link>
        <TeamSwitcher />
        <CommandPalette />
        <Navigation />
        <div className="mt-auto">
          <AccountMenu />
        </div>
      </aside>
      <main id="content" className="mx-auto grid w-full max-w-6xl content-start gap-5 px-4 py-6 sm:px-8 sm:py-8">
        {children}
      </main>
    </div>
  );
}

function TeamSwitcher() {
  const teamId = teamIdOf(usePathname());
  const trpc = useTRPC();
  const { data: teams } = useQuery(trpc.teams.list.queryOptions(switcherTeams));
  const { data: current } = useQuery(
    trpc.teams.get.queryOptions({ teamId: teamId ?? "" }, { enabled: teamId !== null }),
  );
  const trigger = (
    <button
      type="button"
      className="flex h-10 w-full items-center justify-between gap-2 rounded-md border bg-surface px-3 text-left hover:bg-sunken"
    >
      <span className="truncate font-medium">{current ? (current.team_alias ?? current.team_id) : "All teams"}</span>
      <ChevronsUpDown className="size-4 shrink-0 text-quiet" aria-hidden />
      <span className="sr-only">Change team</span>
    </button>
  );
  const shown = (teams ?? []).map((team) => ({
    key: team.team_id,
    content: (
      <Link href={teamPath(team.team_id)}>
        <span className="truncate">{team.team_alias ?? team.team_id}</span>
      </Link>
    ),
  }));
  return (
    <Menu trigger={trigger} entries={[...shown, { key: "", content: <Link href="/portal/teams">All teams</Link> }]} />
  );
}

function AccountMenu() {
  const { data: me } = useQuery(useTRPC().account.me.queryOptions());
  const { isUtc, setUtc } = useTimes();
  const toast = useToast();
  const signOut = (): void => {
    leave().catch(() =>
      toast({ tone: "bad", title: "You are still signed in", text: "The gateway did not answer. Try again." }),
    );
  };
  const trigger = (
    <button type="button" className="flex w-full items-center gap-2 rounded-md px-2 py-2 text-left hover:bg-sunken">
      <UserRound className="size-4 shrink-0 text-quiet" aria-hidden />
      <span className="min-w-0 flex-1 truncate text-quiet">{me?.email ?? "Account"}</span>
    </button>
  );
  const account = (
    <Link href="/portal/account">
      <UserRound aria-hidden />
      Account
    </Link>
  );
  const times = (
    <>
      <Clock aria-hidden />
      {isUtc ? "Show times in my time zone" : "Show times in UTC"}
    </>
  );
  const leaving = (
    <>
      <LogOut aria-hidden />
      Sign out
    </>
  );
  return (
    <Menu
      trigger={trigger}
      entries={[
        { key: "account", content: account },
        { key: "times", content: times, onSelect: () => setUtc(!isUtc) },
        { key: "sign-out", content: leaving, onSelect: signOut },
      ]}
    />
  );
}

async function leave(): Promise<void> {
  const { signOut } = await import("next-auth/react");
  await signOut({ callbackUrl: "/portal/sign-in" });
}

/** So long after a page is alive what it may need next is loaded, so that it opens at once, and without the gateway too. */
const preloadAfterMs = 2_000;

function usePreload(): void {
  useEffect(() => {
    const timer = setTimeout(() => {
      void Promise.allSettled([
        import("#ui/dialog-frame.tsx"),
        import("#ui/opened-menu.tsx"),
        import("next-auth/react"),
      ]);
    }, preloadAfterMs);
    return () => clearTimeout(timer);
  }, []);
}
