import { strangerCaller, type Caller } from "#keys/caller.ts";
import { configState } from "#lib/config.ts";
import type { Db } from "#lib/db.ts";
import { choosePolicy, defaultTeamSettingsIndex, type LoggingPolicy } from "#logging/policy.ts";
import { RedactionLevel } from "#logging/redaction-level.ts";
import { readWhole, statementColumns, toStatement } from "#logging/read-statement.ts";

const teamColumns = { ...statementColumns, mustLog: true, alias: true, organizationId: true } as const;

/** Logs nothing, as for a team whose logging is disabled. */
const silent: LoggingPolicy = { level: "team_disabled", targets: [], silentRedaction: "metadata_only" };

/**
 * Reads whose key a deleted one was, so that a refused call with it is logged as its team wants it. Null if no deleted
 * key had this hash. Callbacks of the key itself went with it, so a key that had its own logs nothing, and so does a key
 * whose team is gone.
 */
export async function readRetiredCaller(db: Db, keyHash: string): Promise<Caller | null> {
  const retired = await db.retiredKey.findUnique({ where: { token: keyHash } });
  if (!retired) return null;
  const { teamId, loggingState: state, disabledCallbacks } = retired;
  const team =
    teamId === null ? null : await readWhole(() => db.team.findUnique({ where: { id: teamId }, select: teamColumns }));
  const config = configState.get();
  const redaction = RedactionLevel.nullable().catch(null).parse(retired.redaction);
  const key = { state, callbacks: [], redaction };
  const isTeamKnown = teamId === null || team !== null || defaultTeamSettingsIndex(teamId, config) !== -1;
  return {
    ...strangerCaller,
    keyHash,
    teamId,
    isRetired: true,
    disabledCallbacks: disabledCallbacks.map((name) => name.toLowerCase()),
    logging: isTeamKnown ? choosePolicy({ teamId, key, team: team && toStatement(team) }, config) : silent,
    attribution: {
      ...strangerCaller.attribution,
      keyHash,
      teamId,
      teamAlias: team?.alias ?? null,
      organizationId: team?.organizationId ?? null,
    },
  };
}
