import { z } from "zod";
import type { Db } from "#lib/db.ts";
import type { Actor } from "#keys/actor.ts";
import { assertMayInspectTeam } from "#keys/rights.ts";
import { CallbackVars } from "#logging/callback.ts";
import { eventOf } from "#logging/plan-callbacks.ts";
import { showMaskedVars } from "#logging/show-logging.ts";
import type { StoredCallback } from "#logging/stored-callback.ts";
import { findTeam, unknownTeam } from "#teams/team-row.ts";

/** A team's callbacks as LiteLLM lists them: names by outcome, and the variables of all of them in one map. */
export const TeamCallbacks = z.object({
  team_id: z.string(),
  success_callbacks: z.array(z.string()),
  failure_callbacks: z.array(z.string()),
  callback_vars: CallbackVars.describe("Secrets are masked; of equal variables the later one shows."),
});
export type TeamCallbacks = z.output<typeof TeamCallbacks>;

/** What is left of a team's callbacks after a change. */
export const CallbackNames = TeamCallbacks.omit({ callback_vars: true });
export type CallbackNames = z.output<typeof CallbackNames>;

/**
 * Lists a team's own callbacks, secrets masked; of equal variables the later one shows. For the team's administrators
 * and who reads everything. Throws 404 for an unknown team.
 */
export async function listCallbacks(db: Db, actor: Actor, teamId: string): Promise<TeamCallbacks> {
  await assertMayInspectTeam(db, actor, teamId);
  const team = await findTeam(db, teamId);
  if (!team) throw unknownTeam(teamId, 404);
  return {
    team_id: teamId,
    ...callbackNames(team.callbacks),
    callback_vars: Object.fromEntries(team.callbacks.flatMap((callback) => Object.entries(showMaskedVars(callback)))),
  };
}

/** The names of callbacks by the outcome they fire on, each once, in their order. */
export function callbackNames(
  callbacks: readonly Pick<StoredCallback, "callbackName" | "callbackType">[],
): Omit<CallbackNames, "team_id"> {
  const namesOf = (outcome: string): string[] => {
    const firing = callbacks.filter((callback) => {
      const event = eventOf(callback.callbackType);
      return callback.callbackName !== "" && (event === outcome || event === "success_and_failure");
    });
    return [...new Set(firing.map((callback) => callback.callbackName))];
  };
  return { success_callbacks: namesOf("success"), failure_callbacks: namesOf("failure") };
}
