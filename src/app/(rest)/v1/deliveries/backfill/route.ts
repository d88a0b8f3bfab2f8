import { actorOf } from "#http/actor.ts";
import { route } from "#http/route.ts";
import { backfillDeliveries, BackfillDeliveries, BackfilledDeliveries } from "#teams/backfill-deliveries.ts";

/** A destination gets the kept logs that it never had. */
export const POST = route(
  {
    auth: "writer",
    class: "write",
    describe: {
      summary: "Send kept logs to a destination that never had them",
      details:
        "For a destination that was added or repaired after the calls. It gets what it would get were they made now, no less redacted than it was kept, and nothing that it has, or that waits or failed there. Logs are kept for `retention.content_hours`.",
      tag: "Logs",
      answer: BackfilledDeliveries,
      example: { team_id: "team-search", callback_id: "01994b1c-79a8-7cc3-9b5d-0d7a7b6a2f10", hours: 24 },
      answerExample: { count: 120, skipped: 3, from: "2026-01-01T00:00:00.000Z", next_cursor: null },
      refusals: {
        400: "Nothing is kept: `retention.content_hours` is 0.",
        403: "The team is not the caller's to administer, or there is no such team.",
        404: "There is no such destination, or it is not of this team.",
      },
    },
    body: BackfillDeliveries,
  },
  ({ db, caller, request, body }) => backfillDeliveries(db, actorOf(caller, request), body),
);
