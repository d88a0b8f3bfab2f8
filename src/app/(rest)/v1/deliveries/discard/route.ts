import { actorOf } from "#http/actor.ts";
import { route } from "#http/route.ts";
import { DeadLetterSelection } from "#teams/delivery-selection.ts";
import { reviseDeadLetters, RevisedDeadLetters } from "#teams/revise-dead-letters.ts";

/** Dead letters are given up, with their content. */
export const POST = route(
  {
    auth: "writer",
    class: "write",
    describe: {
      summary: "Give dead letters up for good",
      details: "Only what is dead is selected. It becomes suppressed, and its content is deleted.",
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
    reviseDeadLetters(db, actorOf(caller, request), { action: "discard", selection: body }),
);
