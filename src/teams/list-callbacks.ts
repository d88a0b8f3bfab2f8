import type { Db } from "#lib/db.ts";
import type { CallbackVars } from "#logging/callback.ts";
import { eventOf } from "#logging/plan-callbacks.ts";
import { showVars } from "#logging/show-logging.ts";
import type { StoredCallback } from "#logging/stored-callback.ts";
import { findTeam, unknownTeam } from "#teams/team-row.ts";

/** A team's callbacks as LiteLLM lists them: names by outcome, and the variables of all of them in one map. */
export type TeamCallbacks = {
  team_id: string;
  success_callbacks: string[];
  failure_callbacks: string[];
  callback_vars: CallbackVars;
};

/** Lists a team's own callbacks, secrets masked; of equal variables the later one shows. Throws 404. */
export async function listCallbacks(db: Db, teamId: string): Promise<TeamCallbacks> {
  const team = await findTeam(db, teamId);
  if (!team) throw unknownTeam(teamId, 404);
  return {
    team_id: teamId,
    ...callbackNames(team.callbacks),
    callback_vars: Object.fromEntries(team.callbacks.flatMap((callback) => Object.entries(showVars(callback)))),
  };
}

/** The names of callbacks by the outcome they fire on, each once, in their order. */
export function callbackNames(
  callbacks: readonly Pick<StoredCallback, "callbackName" | "callbackType">[],
): Pick<TeamCallbacks, "success_callbacks" | "failure_callbacks"> {
  const namesOf = (outcome: string): string[] => {
    const firing = callbacks.filter((callback) => {
      const event = eventOf(callback.callbackType);
      return callback.callbackName !== "" && (event === outcome || event === "success_and_failure");
    });
    return [...new Set(firing.map((callback) => callback.callbackName))];
  };
  return { success_callbacks: namesOf("success"), failure_callbacks: namesOf("failure") };
}
