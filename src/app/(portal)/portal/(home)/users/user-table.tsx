"use client";

import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { type Invitation, InvitationLink } from "#app/(portal)/portal/(home)/invitation-link.tsx";
import { useAct } from "#app/(portal)/portal/(home)/use-act.ts";
import { RoleSelect, roleWords, toRole } from "#app/(portal)/portal/(home)/users/role-select.tsx";
import { type Outputs, useTRPC } from "#trpc/client.tsx";
import { Button } from "#ui/button.tsx";
import { Confirm } from "#ui/confirm.tsx";
import { RelativeTime } from "#ui/relative-time.tsx";
import { Cell, Row, Table } from "#ui/table.tsx";

type User = Outputs["users"]["list"]["users"][number];
type UserTableProps = { users: readonly User[]; ownId: string | null; mayManage: boolean };

/** Users with their roles, which administrators change; nobody changes his own. */
export function UserTable({ users, ownId, mayManage }: UserTableProps) {
  const trpc = useTRPC();
  const setRole = useMutation(trpc.users.setRole.mutationOptions(useAct()("Role changed")));
  const remove = useMutation(trpc.users.delete.mutationOptions(useAct()("User deleted")));
  const inviteAgain = useMutation(trpc.users.inviteAgain.mutationOptions({ onError: useAct()("").onError }));
  const [leaving, setLeaving] = useState<User | null>(null);
  const [invitation, setInvitation] = useState<Invitation | null>(null);
  return (
    <>
      <Table label="Users" head={["Person", "Role", "Teams", "Since", ...(mayManage ? [""] : [])]}>
        {users.map((user) => {
          const isBusy = setRole.isPending && setRole.variables.userId === user.user_id;
          const isOwn = user.user_id === ownId;
          const role = toRole(user.user_role);
          return (
            <Row key={user.user_id}>
              <Cell className="max-w-40 min-w-36 sm:max-w-96">
                <span className="font-medium wrap-anywhere">{nameOf(user)}</span>
                {isOwn && <span className="text-quiet"> (you)</span>}
              </Cell>
              <Cell>
                {mayManage && !isOwn ? (
                  <RoleSelect
                    aria-label={`Role of ${nameOf(user)}`}
                    className="w-48"
                    disabled={isBusy}
                    value={isBusy ? setRole.variables.role : role}
                    onPick={(next) => setRole.mutate({ userId: user.user_id, role: next })}
                  />
                ) : (
                  <span className="whitespace-nowrap">{roleWords[role]}</span>
                )}
              </Cell>
              <Cell className="tabular-nums">{user.teams.length}</Cell>
              <Cell className="text-quiet">
                <RelativeTime iso={user.created_at} />
              </Cell>
              {mayManage && (
                <Cell>
                  {!isOwn && (
                    <div className="flex justify-end gap-2">
                      {user.user_email !== null && (
                        <Button
                          size="small"
                          aria-label={`New link for ${nameOf(user)}`}
                          onClick={() =>
                            inviteAgain.mutate(
                              { userId: user.user_id },
                              { onSuccess: (made) => setInvitation({ email: nameOf(user), ...made }) },
                            )
                          }
                        >
                          New link
                        </Button>
                      )}
                      <Button size="small" aria-label={`Delete ${nameOf(user)}`} onClick={() => setLeaving(user)}>
                        Delete
                      </Button>
                    </div>
                  )}
                </Cell>
              )}
            </Row>
          );
        })}
      </Table>
      {invitation && <InvitationLink invitation={invitation} onClose={() => setInvitation(null)} />}
      {leaving && (
        <Confirm
          isOpen
          onOpenChange={() => setLeaving(null)}
          title={`Delete ${nameOf(leaving)}?`}
          description="The person is signed out, leaves every team, and loses the keys made in person. Keys of teams stay."
          action="Delete"
          typed={nameOf(leaving)}
          isPending={remove.isPending}
          onConfirm={() => remove.mutate({ userId: leaving.user_id }, { onSettled: () => setLeaving(null) })}
        />
      )}
    </>
  );
}

function nameOf(user: User): string {
  return user.user_email ?? user.user_alias ?? user.user_id;
}
