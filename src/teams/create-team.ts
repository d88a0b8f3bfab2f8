import { randomUUID } from "node:crypto";
import type { Database } from "#lib/db.ts";
import { AppError } from "#lib/errors.ts";
import { inTransaction, type Transaction } from "#lib/in-transaction.ts";
import { forgetTeam } from "#keys/caller-cache.ts";
import { mergeExtras } from "#keys/key-columns.ts";
import { masterUserId } from "#keys/master-user.ts";
import { assertProxyAdmin } from "#keys/rights.ts";
import { lockTeamRowId } from "#keys/team-id.ts";
import type { Actor } from "#keys/actor.ts";
import { writeAudit } from "#logging/audit.ts";
import { checkPlan } from "#logging/check-plan.ts";
import { planCallbacks } from "#logging/plan-callbacks.ts";
import { readLogging } from "#logging/read-logging.ts";
import { announceCallbacks, writeCallbacks } from "#logging/write-callbacks.ts";
import { applyLoggingState } from "#teams/apply-logging-state.ts";
import { assertMayDisable } from "#teams/disable-logging.ts";
import { noteDisable, noteEnable } from "#teams/note-disable.ts";
import { toTeamColumns } from "#teams/team-columns.ts";
import { teamColumns, toTeamRow, type TeamRow } from "#teams/team-row.ts";
import { toTeamEntry } from "#teams/team-vars.ts";
import { type CreateTeam, teamExtrasShape, type Member } from "#teams/team.ts";

/**
 * Makes a team with its creator as administrator, and takes in the keys that name it already. For proxy
 * administrators. Throws 400 where the id is taken or a value does not fit.
 */
export async function createTeam(db: Database["db"], actor: Actor, input: CreateTeam): Promise<TeamRow> {
  assertProxyAdmin(actor, "make teams");
  const teamId = input.team_id ?? randomUUID();
  const logging = readLogging(input.metadata ?? {});
  if (logging.state === "disabled") assertMayDisable({ mustLog: input.must_log === true });
  const plan = planCallbacks([], logging.entries.map(toTeamEntry));
  const data = {
    ...toTeamColumns(input, new Date()),
    id: teamId,
    loggingState: logging.state,
    metadata: input.tags ? { ...logging.metadata, tags: input.tags } : logging.metadata,
    extras: mergeExtras({}, input, teamExtrasShape),
  };
  await checkPlan(plan, actor);
  const row = await inTransaction(db, async (tx) => {
    if ((await lockTeamRowId(tx, teamId)) !== null) throw taken(teamId);
    await tx.team.create({ data, select: { id: true } });
    // A team of this id may have been deleted or disabled before.
    await noteEnable(tx, teamId);
    if (logging.state === "disabled") await noteDisable(tx, actor, teamId);
    await addMembers(tx, { teamId, actor, members: input.members_with_roles ?? [] });
    await tx.key.updateMany({ where: { teamId, teamRowId: null }, data: { teamRowId: teamId } });
    await writeCallbacks(tx, { teamId, keyToken: null }, plan);
    const made = toTeamRow(await tx.team.findUniqueOrThrow({ where: { id: teamId }, select: teamColumns }));
    await writeAudit(tx, actor, { action: "create", objectType: "team", objectId: teamId, after: made });
    return made;
  });
  forgetTeam(teamId);
  await announceCallbacks([]);
  await applyLoggingState(db, teamId, logging.state === "disabled" ? "disabled" : "enabled");
  return row;
}

function taken(teamId: string): AppError {
  const message = `Team id = ${teamId} already exists. Please use a different team id.`;
  return new AppError("bad_request", message, { param: "team_id" });
}

/** Writes the given members and the creator, who is an administrator unless he was given another role. */
async function addMembers(
  tx: Transaction,
  { teamId, actor, members }: { teamId: string; actor: Actor; members: readonly Member[] },
): Promise<void> {
  const given: { userId: string; userEmail: string | null; role: string }[] = [];
  for (const member of members) {
    const userEmail = member.user_email ? member.user_email : null;
    const userId = await userIdOf(tx, member);
    given.push({ userId, userEmail, role: member.role });
  }
  if (actor.userId !== null && !given.some((member) => member.userId === actor.userId)) {
    given.unshift({ userId: actor.userId, userEmail: null, role: "admin" });
  }
  await tx.teamMember.createMany({ data: given.map((member) => ({ ...member, teamId })), skipDuplicates: true });
}

/** The user with this id or e-mail address; a new internal user where there is none yet. */
export async function userIdOf(tx: Transaction, { user_id: id, user_email: email }: Member): Promise<string> {
  const select = { id: true } as const;
  if (!id) {
    const where = { email: email ?? "" };
    return (await tx.user.upsert({ where, update: {}, create: { id: randomUUID(), ...where }, select })).id;
  }
  if (id !== masterUserId) await tx.user.upsert({ where: { id }, update: {}, create: { id }, select });
  return id;
}
