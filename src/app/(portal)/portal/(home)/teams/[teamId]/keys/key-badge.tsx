"use client";

import { Badge } from "#ui/badge.tsx";
import { useTimes } from "#ui/times.tsx";

type KeyBadgeProps = { apiKey: { blocked: boolean | null; expires: string | null } };

/** Whether a key can be used now. */
export function KeyBadge({ apiKey: { blocked, expires } }: KeyBadgeProps) {
  const { now } = useTimes();
  if (blocked) return <Badge tone="off">Blocked</Badge>;
  if (expires !== null && new Date(expires).getTime() <= now) return <Badge tone="bad">Expired</Badge>;
  return <Badge tone="good">Active</Badge>;
}
