import type { Database } from "#lib/db.ts";
import { inTransaction, type Transaction } from "#lib/in-transaction.ts";
import { forgetTeam } from "#keys/caller-cache.ts";
import { mergeExtras } from "#keys/key-columns.ts";
import { warnOfUnknownFields } from "#keys/unknown-fields.ts";
import { writeAudit, type Actor } from "#logging/audit.ts";
import { checkPlan } from "#logging/check-plan.ts";
import { fingerprint, planCallbacks, type CallbackPlan } from "#logging/plan-callbacks.ts";
import { Metadata, readLogging, type LoggingInput } from "#logging/read-logging.ts";
import { announceCallbacks, writeCallbacks } from "#logging/write-callbacks.ts";
import { applyLoggingState } from "#teams/apply-logging-state.ts";
import { assertMayDisable } from "#teams/disable-logging.ts";
import { toTeamColumns } from "#teams/team-columns.ts";
import {
  findTeam,
  lockTeam,
  teamColumns,
  teamNotFound,
  toTeamRow,
  type StoredTeam,
  type TeamRow,
} from "#teams/team-row.ts";
import { toTeamEntry } from "#teams/team-vars.ts";
import { teamExtrasShape, UpdateTeam } from "#teams/team.ts";

/** What an update does, and the state of the team's logging that it was worked out for. */
type TeamChange = {
  input: UpdateTeam;
  columns: ReturnType<typeof toTeamColumns>;
  logging: { said: LoggingInput; plan: CallbackPlan; planFor: string } | null;
};

/**
 * Changes what is given of a team and keeps the rest; `metadata` replaces the stored object, and with it the team's
 * callbacks. A disabled team stays disabled unless `metadata.logging` names callbacks. Throws 404 for an unknown team
 * and 400 for values that do not fit.
 */
export async function updateTeam(db: Database["db"], actor: Actor, input: UpdateTeam): Promise<TeamRow> {
  warnOfUnknownFields(input, UpdateTeam.shape);
  const teamId = input.team_id;
  const columns = toTeamColumns(input, new Date());
  for (;;) {
    const stored = await findTeam(db, teamId);
    if (!stored) throw teamNotFound(teamId);
    const change = { input, columns, logging: await planLogging(stored, input) };
    const row = await inTransaction(db, (tx) => applyChange(tx, actor, change));
    // Somebody else changed the callbacks while ours were checked: work it out again.
    if (row === null) continue;
    forgetTeam(teamId);
    await announceCallbacks(change.logging?.plan.removedIds ?? []);
    if (change.logging) {
      await applyLoggingState(db, teamId, change.logging.said.state === "disabled" ? "disabled" : "enabled");
    }
    return row;
  }
}

async function planLogging(stored: StoredTeam, input: UpdateTeam): Promise<TeamChange["logging"]> {
  if (!input.metadata) return null;
  const read = readLogging(input.metadata);
  const said = stored.loggingState === "disabled" && !namesCallbacks(input.metadata) ? stillDisabled(read) : read;
  if (said.state === "disabled" && stored.loggingState !== "disabled") assertMayDisable();
  const plan = planCallbacks(stored.callbacks, said.entries.map(toTeamEntry));
  await checkPlan(plan);
  return { said, plan, planFor: stateOf(stored) };
}

/** Only callbacks in `logging` itself end the disabled state; older settings that somebody writes back do not. */
function namesCallbacks(metadata: Metadata): boolean {
  return Array.isArray(metadata.logging) && metadata.logging.length > 0;
}

function stillDisabled(said: LoggingInput): LoggingInput {
  return { state: "disabled", entries: [], metadata: said.metadata };
}

function stateOf(team: StoredTeam): string {
  return `${team.loggingState} ${fingerprint(team.callbacks)}`;
}

async function applyChange(tx: Transaction, actor: Actor, change: TeamChange): Promise<TeamRow | null> {
  const { input, columns, logging } = change;
  const teamId = input.team_id;
  const stored = await lockTeam(tx, teamId);
  if (!stored) throw teamNotFound(teamId);
  if (logging && stateOf(stored) !== logging.planFor) return null;
  if (logging) await writeCallbacks(tx, { teamId, keyToken: null }, logging.plan);
  const metadata = logging?.said.metadata ?? Metadata.catch({}).parse(stored.metadata);
  const after = await tx.team.update({
    where: { id: teamId },
    data: {
      ...columns,
      metadata: input.tags ? { ...metadata, tags: input.tags } : metadata,
      extras: mergeExtras(stored.extras, input, teamExtrasShape),
      ...(logging ? { loggingState: logging.said.state } : {}),
    },
    select: teamColumns,
  });
  const row = toTeamRow(after);
  await writeAudit(tx, actor, {
    action: "update",
    objectType: "team",
    objectId: teamId,
    before: toTeamRow(stored),
    after: row,
  });
  return row;
}
