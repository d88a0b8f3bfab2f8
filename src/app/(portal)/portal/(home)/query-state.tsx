"use client";

import Link from "next/link";
import { Button } from "#ui/button.tsx";
import { Notice } from "#ui/notice.tsx";
import { SkeletonRows } from "#ui/skeleton.tsx";
import { toFault } from "#trpc/client.tsx";

/** What stands in the place of data that is on its way or did not come. */
export function QueryState({ query }: { query: { error: unknown; refetch: () => unknown } }) {
  if (query.error === null) return <SkeletonRows />;
  const { message, param, requestId } = toFault(query.error);
  return (
    <div className="grid gap-3 p-4">
      <Notice tone="bad" title={message}>
        {requestId && <span className="font-mono text-xs">Request {requestId}</span>}
      </Notice>
      <div className="flex flex-wrap gap-2">
        <Button size="small" onClick={() => query.refetch()}>
          Try again
        </Button>
        {param === "teamId" && (
          <Button asChild size="small" kind="quiet">
            <Link href="/portal/teams">All teams</Link>
          </Button>
        )}
      </div>
    </div>
  );
}
