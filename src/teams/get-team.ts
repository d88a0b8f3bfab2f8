import type { Db } from "#lib/db.ts";
import { AppError } from "#lib/errors.ts";
import type { Caller } from "#keys/caller.ts";
import { keyColumns, toKeyRow, type KeyRow } from "#keys/key-row.ts";
import { findTeam, toTeamRow, type TeamRow } from "#teams/team-row.ts";

/** A team with the keys that name it. */
export type TeamInfo = { team: TeamRow; keys: KeyRow[] };

/**
 * Reads a team. An administrator may read every team; a virtual key reads its own, and learns nothing of whether
 * another one exists. Throws 404 in LiteLLM's words.
 */
export async function getTeam(db: Db, caller: Caller, teamId: string): Promise<TeamInfo> {
  if (caller.role !== "proxy_admin" && caller.teamId !== teamId) {
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
