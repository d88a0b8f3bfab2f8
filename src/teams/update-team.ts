import type { Database } from "#lib/db.ts";
import { AppError } from "#lib/errors.ts";
import { inTransaction, type Transaction } from "#lib/in-transaction.ts";
import { forgetTeam } from "#keys/caller-cache.ts";
import { mergeExtras } from "#keys/key-columns.ts";
import { assertMayManageTeam } from "#keys/rights.ts";
import type { Actor } from "#keys/actor.ts";
import { writeAudit } from "#logging/audit.ts";
import { checkPlan } from "#logging/check-plan.ts";
import { fingerprint, planCallbacks, type CallbackPlan } from "#logging/plan-callbacks.ts";
import { Metadata, readLogging, type LoggingInput } from "#logging/read-logging.ts";
import { announceCallbacks, writeCallbacks } from "#logging/write-callbacks.ts";
import { applyLoggingState } from "#teams/apply-logging-state.ts";
import { assertMayDisable } from "#teams/disable-logging.ts";
import { noteDisable, noteEnable } from "#teams/note-disable.ts";
import { assertMaySetFields } from "#teams/team-field-rights.ts";
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
import { teamExtrasShape, type UpdateTeam } from "#teams/team.ts";

/** What an update does, and the state of the team's logging that it was worked out for. */
type TeamChange = {
  input: UpdateTeam;
  columns: ReturnType<typeof toTeamColumns>;
  logging: { said: LoggingInput; plan: CallbackPlan; planFor: string } | null;
};

/**
 * Changes what is given of a team and keeps the rest; `metadata` replaces the stored object, and with it the team's
 * callbacks. A disabled team stays disabled unless `metadata.logging` names callbacks. For the team's administrators, as
 * far as a field is theirs. Throws 404 for an unknown team, 400 for values that do not fit, and 403 for what only proxy
 * administrators give.
 */
export async function updateTeam(db: Database["db"], actor: Actor, input: UpdateTeam): Promise<TeamRow> {
  const teamId = input.team_id;
  const columns = toTeamColumns(input, new Date());
  for (;;) {
    await assertMayManageTeam(db, actor, { teamId });
    const stored = await findTeam(db, teamId);
    if (!stored) throw teamNotFound(teamId);
    assertMaySetFields(actor, input, toTeamRow(stored));
    const change = { input, columns, logging: await planLogging(actor, stored, input) };
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

async function planLogging(actor: Actor, stored: StoredTeam, input: UpdateTeam): Promise<TeamChange["logging"]> {
  if (!input.metadata) return null;
  const read = readLogging(input.metadata);
  const said = stored.loggingState === "disabled" && !namesCallbacks(input.metadata) ? stillDisabled(read) : read;
  if (said.state === "disabled" && stored.loggingState !== "disabled") {
    assertMayDisable({ mustLog: input.must_log ?? stored.mustLog });
  }
  const plan = planCallbacks(stored.callbacks, said.entries.map(toTeamEntry));
  await checkPlan(plan, actor);
  return { said, plan, planFor: stateOf(stored) };
}

/** Only callbacks in `logging` itself end the disabled state; older settings that somebody writes back do not. */
function namesCallbacks(metadata: Metadata): boolean {
  return Array.isArray(metadata.logging) && metadata.logging.length > 0;
}

function stillDisabled(said: LoggingInput): LoggingInput {
  return { state: "disabled", entries: [], metadata: said.metadata };
}

/** A team that must log and a team that is disabled exclude each other, whichever is set first. */
function assertKeepsMustLog(stored: StoredTeam, { columns, logging }: TeamChange): void {
  const mustLog = columns.mustLog ?? stored.mustLog;
  const isDisabled = (logging?.said.state ?? stored.loggingState) === "disabled";
  if (!mustLog || !isDisabled) return;
  const message = "must_log cannot be set on a team whose logging is disabled: give it a callback first.";
  throw new AppError("bad_request", message, { param: "must_log" });
}

function stateOf(team: StoredTeam): string {
  return `${team.loggingState} ${fingerprint(team.callbacks)}`;
}

async function applyChange(tx: Transaction, actor: Actor, change: TeamChange): Promise<TeamRow | null> {
  const { input, columns, logging } = change;
  const teamId = input.team_id;
  const stored = await lockTeam(tx, teamId);
  await assertMayManageTeam(tx, actor, { teamId });
  if (!stored) throw teamNotFound(teamId);
  // What came back as it was shown may have been tightened meanwhile.
  assertMaySetFields(actor, input, toTeamRow(stored));
  assertKeepsMustLog(stored, change);
  if (logging && stateOf(stored) !== logging.planFor) return null;
  if (logging) await writeCallbacks(tx, { teamId, keyToken: null }, logging.plan);
  const [wasOff, isOff] = [stored.loggingState, logging?.said.state ?? stored.loggingState].map(
    (state) => state === "disabled",
  );
  if (isOff && !wasOff) await noteDisable(tx, actor, teamId);
  if (wasOff && !isOff) await noteEnable(tx, teamId);
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
