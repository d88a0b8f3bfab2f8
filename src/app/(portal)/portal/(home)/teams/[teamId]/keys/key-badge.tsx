import { Badge } from "#ui/badge.tsx";

type KeyBadgeProps = { apiKey: { blocked: boolean | null; expires: string | null } };

/** Whether a key can be used now. */
export function KeyBadge({ apiKey: { blocked, expires } }: KeyBadgeProps) {
  if (blocked) return <Badge tone="off">Blocked</Badge>;
  if (expires !== null && new Date(expires) <= new Date()) return <Badge tone="bad">Expired</Badge>;
  return <Badge tone="good">Active</Badge>;
}
