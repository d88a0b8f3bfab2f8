import { route } from "#http/route.ts";
import { findDeliveries } from "#logging/find-deliveries.ts";

/** What became of the log of one call of the caller's own key or team. */
export const GET = route({ auth: "key" }, ({ db, caller, params }) => {
  const { keyHash, teamId, role } = caller;
  const reader = { isAdmin: role === "proxy_admin", keyHash, teamId, env: process.env };
  return findDeliveries(db, reader, params.id ?? "");
});
