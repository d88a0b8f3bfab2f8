"use client";

import { keepPreviousData, useMutation, useQuery } from "@tanstack/react-query";
import { Plus, Users } from "lucide-react";
import Link from "next/link";
import { useRouter } from "next/navigation";
import { type SyntheticEvent, useState } from "react";
import { PageLinks, usePage } from "#app/(portal)/portal/(home)/page-links.tsx";
import { QueryState } from "#app/(portal)/portal/(home)/query-state.tsx";
import { teamPath } from "#app/(portal)/portal/(home)/team-path.ts";
import { useAct } from "#app/(portal)/portal/(home)/use-act.ts";
import { useAddress } from "#app/(portal)/portal/(home)/use-address.ts";
import { useTRPC } from "#trpc/client.tsx";
import { Badge } from "#ui/badge.tsx";
import { Button } from "#ui/button.tsx";
import { Card } from "#ui/card.tsx";
import { Actions, Dialog } from "#ui/dialog.tsx";
import { EmptyState } from "#ui/empty-state.tsx";
import { Field } from "#ui/field.tsx";
import { Input } from "#ui/input.tsx";
import { PageHeader } from "#ui/page-header.tsx";
import { Cell, Row, Table } from "#ui/table.tsx";

/** The teams that one may look into. */
export function TeamsScreen() {
  const trpc = useTRPC();
  const { read, change } = useAddress();
  const search = read("search");
  const page = usePage();
  const teams = useQuery(trpc.teams.page.queryOptions({ search, page }, { placeholderData: keepPreviousData }));
  const { data: me } = useQuery(trpc.account.me.queryOptions());
  const [isOpen, setOpen] = useState(false);
  const isAdmin = me?.role === "proxy_admin";
  const isEmpty = teams.data?.total === 0 && search === "";
  const add = isAdmin && (
    <Button kind="primary" onClick={() => setOpen(true)}>
      <Plus aria-hidden />
      New team
    </Button>
  );
  return (
    <>
      <PageHeader title="Teams" description="Each team sends the logs of its calls to destinations of its own.">
        {teams.data && !isEmpty && add}
      </PageHeader>
      {teams.data && !isEmpty && (
        <Input
          type="search"
          aria-label="Search teams"
          placeholder="Search by name or id"
          className="max-w-xs"
          defaultValue={search}
          onChange={(event) => change({ search: event.target.value, page: "" })}
        />
      )}
      <Card>
        {teams.data === undefined ? (
          <QueryState query={teams} />
        ) : isEmpty ? (
          <EmptyState icon={Users} title="No team yet" action={add}>
            {isAdmin
              ? "Make the first one. Its destinations, keys and members come next."
              : "You are in no team. Ask an administrator to add you to yours."}
          </EmptyState>
        ) : teams.data.teams.length === 0 ? (
          <EmptyState icon={Users} title="Nothing here">
            No team&apos;s name or id has this in it.
          </EmptyState>
        ) : (
          <Table label="Teams" head={["Team", "Logging", "Destinations", "Keys", "Members"]}>
            {teams.data.teams.map((team) => (
              <Row key={team.team_id}>
                <Cell className="min-w-44">
                  <Link href={teamPath(team.team_id)} className="font-medium hover:underline">
                    {team.team_alias ?? team.team_id}
                  </Link>
                  {team.team_alias !== null && <p className="font-mono text-xs text-quiet">{team.team_id}</p>}
                </Cell>
                <Cell>
                  <LoggingBadge state={team.logging_state} />
                </Cell>
                <Cell className="tabular-nums">{team.callbacks}</Cell>
                <Cell className="tabular-nums">{team.keys}</Cell>
                <Cell className="tabular-nums">{team.members}</Cell>
              </Row>
            ))}
          </Table>
        )}
      </Card>
      <PageLinks pages={teams.data?.pages ?? 1} labels={["Previous", "Next"]} />
      <NewTeam isOpen={isOpen} onOpenChange={setOpen} />
    </>
  );
}

function LoggingBadge({ state }: { state: "unset" | "own" | "disabled" }) {
  if (state === "own") return <Badge tone="good">Own destinations</Badge>;
  if (state === "disabled") return <Badge tone="off">Disabled</Badge>;
  return <Badge tone="unknown">Gateway&apos;s default</Badge>;
}

function NewTeam({ isOpen, onOpenChange }: { isOpen: boolean; onOpenChange: (isOpen: boolean) => void }) {
  const router = useRouter();
  const act = useAct()("Team made");
  const create = useMutation(useTRPC().teams.create.mutationOptions({ onError: act.onError }));
  const [name, setName] = useState("");

  async function submit(event: SyntheticEvent): Promise<void> {
    event.preventDefault();
    const team = await create.mutateAsync({ team_alias: name.trim() });
    onOpenChange(false);
    await act.onSuccess();
    router.push(teamPath(team.team_id));
  }

  return (
    <Dialog isOpen={isOpen} onOpenChange={onOpenChange} title="New team">
      <form className="grid gap-4" onSubmit={(event) => void submit(event).catch(() => undefined)}>
        <Field label="Name" hint="As people know it. Its id is made for it.">
          {(control) => (
            <Input
              {...control}
              required
              maxLength={256}
              value={name}
              onChange={(event) => setName(event.target.value)}
            />
          )}
        </Field>
        <Actions>
          <Button onClick={() => onOpenChange(false)}>Cancel</Button>
          <Button kind="primary" type="submit" disabled={name.trim() === ""} isPending={create.isPending}>
            Make team
          </Button>
        </Actions>
      </form>
    </Dialog>
  );
}
