import { actorOf } from "#http/actor.ts";
import { route } from "#http/route.ts";
import { DeadLetterSelection } from "#teams/delivery-selection.ts";
import { reviseDeadLetters, RevisedDeadLetters } from "#teams/revise-dead-letters.ts";

/** Dead letters are pending again, and waiting deliveries are due now. */
export const POST = route(
  {
    auth: "writer",
    class: "write",
    describe: {
      summary: "Send dead letters again, and waiting deliveries now",
      details:
        "Selects dead letters, and deliveries that were tried and wait. Each is sent with the ids that it always had, so a destination that goes by ids does not keep it twice.",
      tag: "Logs",
      answer: RevisedDeadLetters,
      example: { team_id: "team-search", error_class: "refused_credentials" },
      answerExample: { count: 12 },
      refusals: {
        400: "Nothing is named that selects.",
        403: "The team is not the caller's to administer, or there is no such team.",
      },
    },
    body: DeadLetterSelection,
  },
  ({ db, caller, request, body }) =>
    reviseDeadLetters(db, actorOf(caller, request), { action: "replay", selection: body }),
);
