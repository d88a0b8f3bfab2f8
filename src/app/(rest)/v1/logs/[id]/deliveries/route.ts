import { route } from "#http/route.ts";
import { findDeliveries, CallDeliveries } from "#logging/find-deliveries.ts";

/** What became of the log of one call of the caller's own key or team. */
export const GET = route(
  {
    auth: "key",
    class: "receipt",
    describe: {
      summary: "Read what became of the log of a call",
      details: "For each callback: queued, delivered, retrying, dead or suppressed.",
      tag: "Logs",
      answer: CallDeliveries,
      params: { id: { description: "The record id or the call id.", example: "0199b0c2-7d1e-7a1f-9d2a-6f7f3c1e5b10" } },
      refusals: { 404: "There is no such call, its rows are gone, or it is somebody else's." },
    },
  },
  ({ db, caller, params }) => {
    const { keyHash, teamId, role } = caller;
    const reader = { isAdmin: role === "proxy_admin", keyHash, teamId, env: process.env };
    return findDeliveries(db, reader, params.id ?? "");
  },
);
