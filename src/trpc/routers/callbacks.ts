import { z } from "zod";
import { CallbackType, CallbackVars } from "#logging/callback.ts";
import { addCallback } from "#teams/add-callback.ts";
import { getTeamCallback, listTeamCallbacks } from "#teams/list-team-callbacks.ts";
import { removeCallback } from "#teams/remove-callback.ts";
import { checkTeamCallback, testCallback } from "#teams/test-callback.ts";
import { updateCallback } from "#teams/update-callback.ts";
import { router, teamProcedure } from "#trpc/trpc.ts";

const CallbackId = z.string().min(1).max(256);
const Callback = z.object({
  callback_name: z.string().min(1).max(256),
  callback_type: CallbackType.default("success_and_failure"),
  callback_vars: CallbackVars,
});

/** Where a team's logs go. */
export const callbacksRouter = router({
  list: teamProcedure("team_inspector", [{ pattern: "/team/{team_id}/callback", class: "read" }]).query(
    ({ ctx: { db, actor }, input }) => listTeamCallbacks(db, actor, input.teamId),
  ),
  get: teamProcedure("team_inspector", [{ pattern: "/team/{team_id}/callback", class: "read" }])
    .input(z.object({ callbackId: CallbackId }))
    .query(({ ctx: { db, actor }, input }) => getTeamCallback(db, actor, input)),
  add: teamProcedure("team_admin", [{ pattern: "/team/{team_id}/callback", class: "team_write" }])
    .input(Callback)
    .mutation(async ({ ctx: { db, actor }, input }) => {
      await addCallback(db, actor, { ...input, allow_multiple: true });
      return { callback_id: (await listTeamCallbacks(db, actor, input.teamId)).at(-1)?.callback_id ?? null };
    }),
  update: teamProcedure("team_admin", [])
    .input(Callback.omit({ callback_name: true }).extend({ callbackId: CallbackId, version: z.int().min(1) }))
    .mutation(({ ctx: { db, actor }, input }) => updateCallback(db, actor, input)),
  remove: teamProcedure("team_admin", [{ pattern: "/team/{team_id}/callback/{callback_name}", class: "team_write" }])
    .input(z.object({ callbackId: CallbackId }))
    .mutation(async ({ ctx: { db, actor }, input }) => {
      await removeCallback(db, actor, input);
      return { callback_id: input.callbackId };
    }),
  /** Asks the destination of what is not saved yet. */
  test: teamProcedure("team_admin", [])
    .input(Callback.omit({ callback_type: true }).extend({ callbackId: CallbackId.nullable().default(null) }))
    .mutation(({ ctx: { db, actor }, input }) => testCallback(db, actor, { ...input, env: process.env })),
  /** Asks the destination of what is saved. */
  check: teamProcedure("team_admin", [])
    .input(z.object({ callbackId: CallbackId }))
    .mutation(({ ctx: { db, actor }, input }) => checkTeamCallback(db, actor, { ...input, env: process.env })),
});
