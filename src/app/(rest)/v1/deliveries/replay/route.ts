import { actorOf } from "#http/actor.ts";
import { route } from "#http/route.ts";
import { DeadLetterSelection } from "#teams/delivery-selection.ts";
import { reviseDeadLetters, RevisedDeadLetters } from "#teams/revise-dead-letters.ts";

/** Dead letters are pending again. */
export const POST = route(
  {
    auth: "writer",
    describe: {
      summary: "Send dead letters again",
      details:
        "Only what is dead is selected. It is sent with the ids that it always had, so what had arrived all the same is not there twice where the destination goes by ids.",
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
