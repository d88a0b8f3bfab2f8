import type { Outputs } from "#trpc/client.tsx";
import { Badge } from "#ui/badge.tsx";

type Callback = Outputs["callbacks"]["list"][number];

/** What of the variables tells two destinations of a kind apart. */
export function targetOf({ callback_vars: vars }: Callback): string {
  const named = ["langfuse_host", "gcs_bucket_name", "dd_site", "langsmith_project", "otel_endpoint", "webhook_url"];
  const value = named.map((name) => vars[name]).find((text) => typeof text === "string" && text !== "");
  return typeof value === "string" ? value : "the vendor's own address";
}

/** When a destination gets a call's log, in words. */
export function firesOn(type: string | null): string {
  if (type === "success") return "Successful calls";
  return type === "failure" ? "Failed calls" : "All calls";
}

type Counts = Outputs["deliveries"]["counts"][number];

/** What deliveries so far say of a destination. */
export function DeliveryBadge({ counts }: { counts: Counts | undefined }) {
  if (!counts || counts.delivered + counts.pending + counts.dead === 0) return <Badge tone="unknown">No log yet</Badge>;
  if (counts.dead > 0) return <Badge tone="bad">Some failed</Badge>;
  if (counts.pending > 0) return <Badge tone="warn">Waiting</Badge>;
  return <Badge tone="good">Delivering</Badge>;
}
