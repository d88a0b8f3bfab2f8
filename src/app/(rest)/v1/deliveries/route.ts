import { actorOf } from "#http/actor.ts";
import { route } from "#http/route.ts";
import { DeliveryPage, listDeliveries, ListDeliveries } from "#teams/list-deliveries.ts";

/** Deliveries of the caller's teams, the newest first. */
export const GET = route(
  {
    auth: "key",
    class: "read",
    describe: {
      summary: "List deliveries, the newest first",
      details: "Those of the teams that the caller administers; proxy administrators and viewers see all of them.",
      tag: "Logs",
      answer: DeliveryPage,
      refusals: { 403: "The team is not the caller's to administer, or there is no such team." },
    },
    query: ListDeliveries,
  },
  ({ db, caller, request, query }) => listDeliveries(db, { actor: actorOf(caller, request), env: process.env }, query),
);
