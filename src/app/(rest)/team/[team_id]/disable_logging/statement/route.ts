import { actorOf } from "#http/actor.ts";
import { route } from "#http/route.ts";
import { getDisableStatement, SignedDisableStatement } from "#teams/disable-statement.ts";

export const GET = route(
  {
    auth: "key",
    class: "read",
    describe: {
      summary: "Download the signed statement of a team's disable",
      details:
        "Who switched the logging off and when, since when it holds in every gateway, how much was suppressed, and a self-test. `jws` holds the same statement signed; `/v1/logging/statement_keys` has the public keys to check it with.",
      tag: "Team callbacks",
      answer: SignedDisableStatement,
      params: {
        team_id: { description: "The id of the team. It may hold slashes, plain or encoded.", example: "team-search" },
      },
      refusals: {
        403: "The caller does not administer the team.",
        404: "The team's logging was never disabled.",
      },
    },
  },
  async ({ db, caller, params, request, callId }) => {
    const signed = await getDisableStatement(db, actorOf(caller, request), params.team_id ?? "");
    return new Response(JSON.stringify(signed, null, 2), {
      headers: {
        "content-type": "application/json",
        "content-disposition": `attachment; filename="disable-statement-${signed.statement.id}.json"`,
        "cache-control": "no-store",
        "x-litellm-call-id": callId,
      },
    });
  },
);
