import type { Db } from "#lib/db.ts";
import { AppError } from "#lib/errors.ts";
import type { Actor } from "#keys/actor.ts";
import { keyColumns, toKeyRow, type KeyRow } from "#keys/key-row.ts";
import { mayReadTeam } from "#keys/rights.ts";
import { findTeam, toTeamRow, type TeamRow } from "#teams/team-row.ts";

/** A team with the keys that name it. */
export type TeamInfo = { team: TeamRow; keys: KeyRow[] };

/**
 * Reads a team. Who reads everything may read every team; members and the team's keys read theirs, and learn nothing of
 * whether another one exists. Throws 404 in LiteLLM's words.
 */
export async function getTeam(db: Db, actor: Actor, teamId: string): Promise<TeamInfo> {
  if (!(await mayReadTeam(db, actor, teamId))) {
    throw new AppError("forbidden", "You are not allowed to access this team's info.", { param: "team_id" });
  }
  const team = await findTeam(db, teamId);
  if (!team) {
    const message = `Team not found, passed team id: ${teamId}.`;
    throw new AppError("not_found", message, { type: "auth_error", param: "team_id" });
  }
  const keys = await db.key.findMany({ where: { teamId }, select: keyColumns, orderBy: { createdAt: "asc" } });
  return { team: toTeamRow(team), keys: keys.map(toKeyRow) };
}
