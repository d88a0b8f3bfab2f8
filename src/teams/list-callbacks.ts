import type { Db } from "#lib/db.ts";
import type { CallbackVars } from "#logging/callback.ts";
import { eventOf } from "#logging/plan-callbacks.ts";
import { showVars } from "#logging/show-logging.ts";
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
  const namesOf = (outcome: string): string[] => {
    const firing = team.callbacks.filter((callback) => {
      const event = eventOf(callback.callbackType);
      return callback.callbackName !== "" && (event === outcome || event === "success_and_failure");
    });
    return [...new Set(firing.map((callback) => callback.callbackName))];
  };
  return {
    team_id: teamId,
    success_callbacks: namesOf("success"),
    failure_callbacks: namesOf("failure"),
    callback_vars: Object.fromEntries(team.callbacks.flatMap((callback) => Object.entries(showVars(callback)))),
  };
}
