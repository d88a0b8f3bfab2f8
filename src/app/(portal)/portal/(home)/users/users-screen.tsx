"use client";

import { useQuery } from "@tanstack/react-query";
import { Plus, UserRoundPlus } from "lucide-react";
import { useState } from "react";
import { PageLinks, usePage } from "#app/(portal)/portal/(home)/page-links.tsx";
import { QueryState } from "#app/(portal)/portal/(home)/query-state.tsx";
import { useAddress } from "#app/(portal)/portal/(home)/use-address.ts";
import { InviteUser } from "#app/(portal)/portal/(home)/users/invite-user.tsx";
import { UserTable } from "#app/(portal)/portal/(home)/users/user-table.tsx";
import { useTRPC } from "#trpc/client.tsx";
import { Button } from "#ui/button.tsx";
import { Card } from "#ui/card.tsx";
import { EmptyState } from "#ui/empty-state.tsx";
import { Input } from "#ui/input.tsx";
import { PageHeader } from "#ui/page-header.tsx";

/** Who may use the gateway, and as what. The address holds the search and the page. */
export function UsersScreen() {
  const trpc = useTRPC();
  const { read, change } = useAddress();
  const search = read("search");
  const page = usePage();
  const users = useQuery(trpc.users.list.queryOptions({ search, page }));
  const { data: me } = useQuery(trpc.account.me.queryOptions());
  const [isInviting, setInviting] = useState(false);
  const mayManage = me?.role === "proxy_admin";
  return (
    <>
      <PageHeader
        title="Users"
        description="Administrators see and change every team. Everybody else sees the teams that they are in."
      >
        {mayManage && (
          <Button kind="primary" onClick={() => setInviting(true)}>
            <Plus aria-hidden />
            Invite user
          </Button>
        )}
      </PageHeader>
      <Input
        type="search"
        aria-label="Search users"
        placeholder="Search by e-mail"
        className="max-w-xs"
        defaultValue={search}
        onChange={(event) => change({ search: event.target.value, page: "" })}
      />
      <Card>
        {users.data === undefined ? (
          <QueryState query={users} />
        ) : users.data.users.length === 0 ? (
          <EmptyState icon={UserRoundPlus} title="Nobody here">
            No user&apos;s address has this in it.
          </EmptyState>
        ) : (
          <UserTable users={users.data.users} ownId={me?.userId ?? null} mayManage={mayManage} />
        )}
      </Card>
      <PageLinks pages={users.data?.total_pages ?? 1} />
      <InviteUser isOpen={isInviting} onOpenChange={setInviting} />
    </>
  );
}
