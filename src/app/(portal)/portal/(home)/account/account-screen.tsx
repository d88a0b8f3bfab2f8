"use client";

import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { QueryState } from "#app/(portal)/portal/(home)/query-state.tsx";
import { useAct } from "#app/(portal)/portal/(home)/use-act.ts";
import { useTRPC } from "#trpc/client.tsx";
import { Button } from "#ui/button.tsx";
import { Card, CardBody, CardHeader } from "#ui/card.tsx";
import { Field } from "#ui/field.tsx";
import { Input } from "#ui/input.tsx";
import { PageHeader } from "#ui/page-header.tsx";
import { RelativeTime } from "#ui/relative-time.tsx";
import { Cell, Row, Table } from "#ui/table.tsx";

/** One's own sign-in: the password, and the browsers that are signed in. */
export function AccountScreen() {
  const trpc = useTRPC();
  const { data: me } = useQuery(trpc.account.me.queryOptions());
  const sessions = useQuery(trpc.account.sessions.queryOptions());
  const end = useMutation(trpc.account.endSession.mutationOptions(useAct()("Session ended")));
  return (
    <>
      <PageHeader title="Account" description={me?.email ?? undefined} />
      <PasswordCard />
      <Card>
        <CardHeader
          title="Sessions"
          description="Where you are signed in. One that you end is refused from its next request on."
        />
        {sessions.data === undefined ? (
          <QueryState query={sessions} />
        ) : (
          <Table label="Sessions" head={["Browser", "Last seen", ""]}>
            {sessions.data.map((session) => (
              <Row key={session.id}>
                <Cell className="max-w-80 min-w-48 truncate" title={session.userAgent ?? undefined}>
                  {session.userAgent ?? "Unknown browser"}
                </Cell>
                <Cell>
                  <RelativeTime iso={session.lastSeenAt} />
                </Cell>
                <Cell className="text-right">
                  {session.isThis ? (
                    <span className="text-quiet">This browser</span>
                  ) : (
                    <Button size="small" onClick={() => end.mutate({ id: session.id })}>
                      End
                    </Button>
                  )}
                </Cell>
              </Row>
            ))}
          </Table>
        )}
      </Card>
    </>
  );
}

function PasswordCard() {
  const [current, setCurrent] = useState("");
  const [next, setNext] = useState("");
  const change = useMutation(useTRPC().account.changePassword.mutationOptions(useAct()("Password changed")));
  return (
    <Card className="max-w-2xl">
      <CardHeader title="Password" description="Changing it ends your other sessions." />
      <CardBody>
        <form
          className="grid gap-4"
          onSubmit={(event) => {
            event.preventDefault();
            change.mutate({ current, next });
          }}
        >
          <Field label="Current password">
            {(control) => (
              <Input
                {...control}
                type="password"
                autoComplete="current-password"
                required
                value={current}
                onChange={(event) => setCurrent(event.target.value)}
              />
            )}
          </Field>
          <Field label="New password" hint="10 characters or more.">
            {(control) => (
              <Input
                {...control}
                type="password"
                autoComplete="new-password"
                minLength={10}
                required
                value={next}
                onChange={(event) => setNext(event.target.value)}
              />
            )}
          </Field>
          <div>
            <Button type="submit" isPending={change.isPending}>
              Change password
            </Button>
          </div>
        </form>
      </CardBody>
    </Card>
  );
}
