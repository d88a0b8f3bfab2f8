"use client";

import { useMutation, useQuery } from "@tanstack/react-query";
import { Plus, UserRoundPlus } from "lucide-react";
import { useState } from "react";
import { QueryState } from "#app/(portal)/portal/(home)/query-state.tsx";
import { AddMember } from "#app/(portal)/portal/(home)/teams/[teamId]/members/add-member.tsx";
import { useAct } from "#app/(portal)/portal/(home)/use-act.ts";
import { useTeam } from "#app/(portal)/portal/(home)/use-team.ts";
import { type Outputs, useTRPC } from "#trpc/client.tsx";
import { Button } from "#ui/button.tsx";
import { Card } from "#ui/card.tsx";
import { Confirm } from "#ui/confirm.tsx";
import { EmptyState } from "#ui/empty-state.tsx";
import { Select } from "#ui/input.tsx";
import { PageHeader } from "#ui/page-header.tsx";
import { Cell, Row, Table } from "#ui/table.tsx";

type Member = Outputs["members"]["list"][number];

const roleWords: Record<string, string> = { admin: "Administrator", user: "Member" };

/** Who is in the team, and as what. */
export function MembersScreen() {
  const { teamId, team } = useTeam();
  const trpc = useTRPC();
  const members = useQuery(trpc.members.list.queryOptions({ teamId }));
  const { data: me } = useQuery(trpc.account.me.queryOptions());
  const update = useMutation(trpc.members.update.mutationOptions(useAct()("Role changed")));
  const remove = useMutation(trpc.members.remove.mutationOptions(useAct()("Member removed")));
  const [isAdding, setAdding] = useState(false);
  const [leaving, setLeaving] = useState<Member | null>(null);
  const mayManage = team.data?.mayManage === true;
  const add = mayManage && (
    <Button kind="primary" onClick={() => setAdding(true)}>
      <Plus aria-hidden />
      Add member
    </Button>
  );
  return (
    <>
      <PageHeader
        title="Members"
        description="Administrators manage destinations, keys, policy and members; members see the team and use its keys."
      >
        {members.data && members.data.length > 0 && add}
      </PageHeader>
      <Card>
        {members.data === undefined ? (
          <QueryState query={members} />
        ) : members.data.length === 0 ? (
          <EmptyState icon={UserRoundPlus} title="No member yet" action={add}>
            Make one of them an administrator, and the team looks after itself.
          </EmptyState>
        ) : (
          <Table label="Members" head={mayManage ? ["Person", "Role", ""] : ["Person", "Role"]}>
            {members.data.map((member) => {
              const userId = member.user_id ?? "";
              const isBusy = update.isPending && update.variables.user_id === userId;
              return (
                <Row key={userId}>
                  <Cell className="max-w-40 min-w-36 sm:max-w-96">
                    <span className="font-medium wrap-anywhere">{nameOf(member)}</span>
                    {userId === me?.userId && <span className="text-quiet"> (you)</span>}
                    {member.user_email && (
                      <p className="hidden truncate font-mono text-xs text-quiet sm:block">{userId}</p>
                    )}
                  </Cell>
                  <Cell>
                    {mayManage ? (
                      <Select
                        aria-label={`Role of ${nameOf(member)}`}
                        className="w-40"
                        disabled={isBusy}
                        value={isBusy ? update.variables.role : member.role}
                        onChange={(event) =>
                          update.mutate({
                            teamId,
                            user_id: userId,
                            role: event.target.value === "admin" ? "admin" : "user",
                          })
                        }
                      >
                        <option value="admin">{roleWords.admin}</option>
                        <option value="user">{roleWords.user}</option>
                      </Select>
                    ) : (
                      (roleWords[member.role] ?? member.role)
                    )}
                  </Cell>
                  {mayManage && (
                    <Cell className="text-right">
                      <Button size="small" aria-label={`Remove ${nameOf(member)}`} onClick={() => setLeaving(member)}>
                        Remove
                      </Button>
                    </Cell>
                  )}
                </Row>
              );
            })}
          </Table>
        )}
      </Card>
      <AddMember teamId={teamId} isOpen={isAdding} onOpenChange={setAdding} />
      {leaving && (
        <Confirm
          isOpen
          onOpenChange={() => setLeaving(null)}
          title={`Remove ${nameOf(leaving)}?`}
          description="The keys that this person made in the team stop working at once. Keys that belong to the team stay."
          action="Remove"
          isPending={remove.isPending}
          onConfirm={() =>
            remove.mutate({ teamId, user_id: leaving.user_id ?? "" }, { onSettled: () => setLeaving(null) })
          }
        />
      )}
    </>
  );
}

function nameOf(member: Member): string {
  return member.user_email ?? member.user_id ?? "Unknown person";
}
