import type { Database } from "#lib/db.ts";
import { AppError } from "#lib/errors.ts";
import { inTransaction } from "#lib/in-transaction.ts";
import { forgetTeam } from "#keys/caller-cache.ts";
import { assertMayManageTeam } from "#keys/rights.ts";
import type { Actor } from "#keys/actor.ts";
import { writeAudit } from "#logging/audit.ts";
import { checkDestination } from "#logging/check-destination.ts";
import { checkEntry } from "#logging/check-plan.ts";
import { openGiven, type OpenedCallback } from "#logging/open-callback.ts";
import { eventOf, planCallbacks } from "#logging/plan-callbacks.ts";
import type { CallbackEntry } from "#logging/read-logging.ts";
import type { Environment } from "#logging/resolve-callback.ts";
import { announceCallbacks, writeCallback } from "#logging/write-callbacks.ts";
import { applyLoggingState } from "#teams/apply-logging-state.ts";
import { noteEnable } from "#teams/note-disable.ts";
import {
  findTeam,
  lockTeam,
  teamColumns,
  toTeamRow,
  unknownTeam,
  type StoredTeam,
  type TeamRow,
} from "#teams/team-row.ts";
import { toTeamVars } from "#teams/team-vars.ts";
import { type AddCallback } from "#teams/team.ts";

/**
 * Adds a callback to a team, and ends its disabled state. For the team's administrators. Throws 422 for a variable that
 * the callback does not take, 400 for an unknown team, a callback that does not fit and a second one of the same name and type, which
 * `allow_multiple` permits. With `testIn`, the environment for the test, it is saved only where a check
 * proves that its destination takes records now, which `unverified` does not; 400 in the destination's words otherwise.
 */
export async function addCallback(
  db: Database["db"],
  actor: Actor,
  { teamId, testIn, ...input }: AddCallback & { teamId: string; testIn?: Environment | null },
): Promise<TeamRow> {
  const entry = {
    callbackName: input.callback_name,
    callbackType: input.callback_type,
    callbackVars: toTeamVars(input.callback_vars),
  };
  const [callback] = planCallbacks([], [entry]).planned;
  if (!callback) throw new Error("A plan has one callback per entry.");
  await checkInOrder({ callback, actor }, async () => {
    await assertMayManageTeam(db, actor, { teamId });
    if ((await findTeam(db, teamId)) === null) throw unknownTeam(teamId, 400);
  });
  if (testIn) await assertHealthy(openGiven(callback, { isAdmin: false, env: testIn }));
  const row = await inTransaction(db, async (tx) => {
    const stored = await lockTeam(tx, teamId);
    await assertMayManageTeam(tx, actor, { teamId });
    if (!stored) throw unknownTeam(teamId, 400);
    if (input.allow_multiple !== true) assertIsFirst(stored, entry);
    const position = Math.max(-1, ...stored.callbacks.map((known) => known.position)) + 1;
    await writeCallback(tx, { teamId, keyToken: null }, { ...callback, position });
    if (stored.loggingState === "disabled") await noteEnable(tx, teamId);
    const data = { loggingState: "own" } as const;
    const after = toTeamRow(await tx.team.update({ where: { id: teamId }, data, select: teamColumns }));
    const before = toTeamRow(stored);
    await writeAudit(tx, actor, { action: "add_callback", objectType: "team", objectId: teamId, before, after });
    return after;
  });
  forgetTeam(teamId);
  await announceCallbacks([]);
  await applyLoggingState(db, teamId, "enabled");
  return row;
}

async function assertHealthy(opened: OpenedCallback): Promise<void> {
  const { state, message } = await checkDestination(opened);
  if (state === "healthy") return;
  const why = state === "unhealthy" ? "because its test failed" : "because its test proved nothing";
  throw new AppError("bad_request", `The callback was not saved, ${why}: ${message}`, { param: "callback_vars" });
}

/** A body that does not fit (422) comes before an unknown team, and that before a callback that does not. */
async function checkInOrder(
  { callback, actor }: { callback: CallbackEntry; actor: Actor },
  checkTeam: () => Promise<void>,
): Promise<void> {
  try {
    await checkEntry(callback, actor);
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "unprocessable") await checkTeam();
    throw error;
  }
  await checkTeam();
}

function assertIsFirst(team: StoredTeam, { callbackName, callbackType }: CallbackEntry): void {
  const event = eventOf(callbackType);
  const isTaken = team.callbacks.some(
    (known) => known.callbackName === callbackName && eventOf(known.callbackType) === event,
  );
  if (!isTaken) return;
  const place = `for team_id = ${team.id} and event = ${event}`;
  const message = `callback_name = ${callbackName} already exists in team_callback_settings, ${place}`;
  throw new AppError("bad_request", message, { param: "callback_name" });
}
