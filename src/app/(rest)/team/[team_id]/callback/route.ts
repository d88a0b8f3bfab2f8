import { z } from "zod";
import { actorOf } from "#http/actor.ts";
import { route } from "#http/route.ts";
import { hideSecretHints } from "#logging/secret-hint.ts";
import { addCallback } from "#teams/add-callback.ts";
import { listCallbacks, TeamCallbacks } from "#teams/list-callbacks.ts";
import { AddCallback } from "#teams/team.ts";
import { TeamRow } from "#teams/team-row.ts";

const Query = z.object({ test: z.enum(["true", "false"]).default("false") });

/** With `?test=true` a callback is saved only if its destination takes records now. */
export const POST = route(
  {
    auth: "writer",
    class: "team_write",
    describe: {
      summary: "Add a callback to a team",
      details:
        "Ends the team's disabled state. With `test=true` it is saved only if a check proves that its destination takes records now; `unverified` is no proof. A second entry of the same name and type needs `allow_multiple`.",
      tag: "Team callbacks",
      answer: z.object({ status: z.literal("success"), data: TeamRow }),
      example: {
        callback_name: "langfuse",
        callback_type: "success",
        callback_vars: {
          langfuse_public_key: "pk-lf-1234",
          langfuse_secret_key: "sk-lf-1234",
          langfuse_host: "https://cloud.langfuse.com",
        },
      },
      params: {
        team_id: { description: "The id of the team. It may hold slashes, plain or encoded.", example: "team-search" },
      },
      refusals: { 400: "There is no such team, the callback is not accepted, or it is there already." },
    },
    body: AddCallback,
    query: Query,
  },
  async ({ db, caller, body, query, params, request }) => {
    const input = { ...body, teamId: params.team_id ?? "", testIn: query.test === "true" ? process.env : null };
    const row = await addCallback(db, actorOf(caller, request), input);
    return { status: "success" as const, data: { ...row, metadata: hideSecretHints(row.metadata) } };
  },
);

export const GET = route(
  {
    auth: "key",
    class: "read",
    describe: {
      summary: "List the callbacks of a team",
      tag: "Team callbacks",
      answer: z.object({ status: z.literal("success"), data: TeamCallbacks }),
      answerExample: {
        status: "success",
        data: {
          team_id: "team-search",
          success_callbacks: ["langfuse"],
          failure_callbacks: [],
          callback_vars: {
            langfuse_public_key: "***REDACTED***",
            langfuse_secret_key: "***REDACTED***",
            langfuse_host: "https://cloud.langfuse.com",
          },
        },
      },
      params: {
        team_id: { description: "The id of the team. It may hold slashes, plain or encoded.", example: "team-search" },
      },
      refusals: { 403: "The caller does not administer the team.", 404: "There is no such team." },
    },
  },
  async ({ db, caller, params, request }) => ({
    status: "success" as const,
    data: await listCallbacks(db, actorOf(caller, request), params.team_id ?? ""),
  }),
);
