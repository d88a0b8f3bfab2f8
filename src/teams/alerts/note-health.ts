import type { Database } from "#lib/db.ts";
import { newRecordId } from "#lib/id.ts";
import { inTransaction, lockName, type Transaction } from "#lib/in-transaction.ts";
import { currentLogger } from "#lib/logger.ts";
import { isRefusedRow } from "#lib/refused-value.ts";
import type { DestinationHealth } from "#logging/destination-health.ts";
import { nameCallbacks } from "#logging/name-callbacks.ts";
import { toAlertMessage, type AlertEvent, type AlertKind } from "#teams/alerts/alert-event.ts";

/** When something is told (`general_settings.alerting_args`), and to whom beside a team's administrators. */
export type AlertRules = {
  channels: readonly AlertChannel[];
  failingAfterMs: number;
  deadLettersEveryMs: number;
  emails: readonly string[];
};

/** How events are told (`general_settings.alerting`). */
export type AlertChannel = "webhook" | "slack" | "email";

/** For so long no gateway must have seen it fail before a destination counts as healthy again. */
const quietMs = 5_000;

/**
 * Compares what this gateway saw of its destinations with what all gateways know of them, and keeps an event where it is
 * news. Gateways that see the same at the same time keep one event between them.
 */
export async function noteHealth(
  db: Database["db"],
  { reports, rules, now }: { reports: readonly DestinationHealth[]; rules: AlertRules; now: Date },
): Promise<void> {
  for (const report of reports) {
    if (report.failingForMs === null && report.dead === 0) continue;
    const noted = inTransaction(db, async (tx) => {
      await lockName(tx, `alert:${report.callbackId}`);
      await noteOne(tx, report, { rules, now });
    });
    await noted.catch((error: unknown) => {
      if (!isRefusedRow(error)) throw error;
      currentLogger().error({ report, error: String(error) }, "the state of a destination cannot be stored");
    });
  }
}

/** What is decided about one callback; its rows are locked. */
type Moment = { rules: AlertRules; now: Date };

async function noteOne(tx: Transaction, report: DestinationHealth, moment: Moment): Promise<void> {
  const { callbackId } = report;
  const { now, rules } = moment;
  const known = await tx.destinationAlert.findUnique({ where: { callbackId } });
  const state = stateOf(report, rules);
  const isNews = state !== null && state !== known?.state && !(state === "failing" && known?.state === "paused");
  const dead = (known?.untoldDead ?? 0) + report.dead;
  const tellsDead = dead > 0 && isDue(known?.deadToldAt ?? null, moment);
  const data = {
    ...(isNews ? { state, since: now } : {}),
    ...(report.failingForMs === null ? {} : { seenAt: now }),
    untoldDead: tellsDead ? 0 : dead,
    ...(tellsDead ? { deadToldAt: now } : {}),
  };
  await tx.destinationAlert.upsert({
    where: { callbackId },
    create: { callbackId, state: "ok", since: now, seenAt: now, ...data },
    update: data,
  });
  const facts = { callbackId, status: report.status };
  if (isNews) await keepEvent(tx, { ...facts, kind: `destination_${state}`, dead: 0 }, moment);
  if (tellsDead) await keepEvent(tx, { ...facts, kind: "dead_letters", dead }, moment);
}

/** Null where there is nothing to say yet. Refused credentials pause a destination at once. */
function stateOf({ failingForMs, status }: DestinationHealth, rules: AlertRules): "paused" | "failing" | null {
  if (failingForMs === null) return null;
  if (status === 401 || status === 403) return "paused";
  return failingForMs >= rules.failingAfterMs ? "failing" : null;
}

function isDue(deadToldAt: Date | null, { rules, now }: Moment): boolean {
  return deadToldAt === null || now.getTime() - deadToldAt.getTime() >= rules.deadLettersEveryMs;
}

/**
 * Looks at what is not well: tells of destinations that take logs again, of dead letters whose time has come, and forgets
 * callbacks that were deleted. `deliveredAt` says when something last got through from this gateway.
 */
export async function followAlerts(
  db: Database["db"],
  { deliveredAt, rules, now }: { deliveredAt: Pick<Map<string, Date>, "get">; rules: AlertRules; now: Date },
): Promise<void> {
  const open = await db.destinationAlert.findMany({
    where: { OR: [{ state: { not: "ok" } }, { untoldDead: { gt: 0 } }] },
    select: { callbackId: true },
  });
  if (open.length === 0) return;
  const names = await nameCallbacks(
    db,
    open.map(({ callbackId }) => callbackId),
  );
  for (const { callbackId } of open) {
    if (!names.has(callbackId)) {
      await db.destinationAlert.deleteMany({ where: { callbackId } });
      continue;
    }
    await inTransaction(db, async (tx) => {
      await lockName(tx, `alert:${callbackId}`);
      await followOne(tx, { callbackId, deliveredAt: deliveredAt.get(callbackId) ?? null }, { rules, now });
    });
  }
}

async function followOne(
  tx: Transaction,
  { callbackId, deliveredAt }: { callbackId: string; deliveredAt: Date | null },
  moment: Moment,
): Promise<void> {
  const { now } = moment;
  const known = await tx.destinationAlert.findUnique({ where: { callbackId } });
  if (known === null) return;
  const isQuiet = now.getTime() - known.seenAt.getTime() >= quietMs;
  if (known.state !== "ok" && deliveredAt !== null && deliveredAt > known.seenAt && isQuiet) {
    await tx.destinationAlert.update({ where: { callbackId }, data: { state: "ok", since: now } });
    await keepEvent(tx, { callbackId, kind: "destination_recovered", status: 0, dead: 0 }, moment);
  }
  if (known.untoldDead > 0 && isDue(known.deadToldAt, moment)) {
    await tx.destinationAlert.update({ where: { callbackId }, data: { untoldDead: 0, deadToldAt: now } });
    await keepEvent(tx, { callbackId, kind: "dead_letters", status: 0, dead: known.untoldDead }, moment);
  }
}

/** Keeps one event, once per receiver, until each of them took it. */
async function keepEvent(
  tx: Transaction,
  { callbackId, kind, status, dead }: { callbackId: string; kind: AlertKind; status: number; dead: number },
  { rules, now }: Moment,
): Promise<void> {
  const name = (await nameCallbacks(tx, [callbackId])).get(callbackId);
  if (name === undefined) return;
  const team = await findTeam(tx, callbackId);
  const facts = {
    event: kind,
    callback_id: callbackId,
    callback_name: name,
    team_id: team?.id ?? null,
    team_alias: team?.alias ?? null,
    status: status === 0 ? null : status,
    dead_letters: dead,
  };
  const event: AlertEvent = {
    id: newRecordId(),
    event_group: "callback",
    event_message: toAlertMessage(facts),
    occurred_at: now.toISOString(),
    ...facts,
  };
  const emails = rules.channels.includes("email") ? await findEmails(tx, team?.id ?? null, rules) : [];
  const receivers = [
    ...rules.channels.filter((channel) => channel !== "email").map((channel) => ({ channel, receiver: "" })),
    ...emails.map((receiver) => ({ channel: "email", receiver })),
  ];
  await tx.alertMessage.createMany({
    data: receivers.map((receiver) => ({ id: newRecordId(), ...receiver, event, createdAt: now, dueAt: now })),
  });
}

async function findTeam(tx: Transaction, callbackId: string): Promise<{ id: string; alias: string | null } | null> {
  const callback = await tx.callback.findUnique({
    where: { id: callbackId },
    select: { teamId: true, key: { select: { teamId: true } } },
  });
  const id = callback?.teamId ?? callback?.key?.teamId ?? null;
  if (id === null) return null;
  const team = await tx.team.findUnique({ where: { id }, select: { alias: true } });
  return { id, alias: team?.alias ?? null };
}

/** The addresses that the operator named, and those of the team's administrators. */
async function findEmails(tx: Transaction, teamId: string | null, rules: AlertRules): Promise<string[]> {
  if (teamId === null) return [...rules.emails];
  const admins = await tx.teamMember.findMany({
    where: { teamId, role: "admin" },
    select: { userId: true, userEmail: true },
  });
  const users = await tx.user.findMany({
    where: { id: { in: admins.map(({ userId }) => userId) } },
    select: { id: true, email: true },
  });
  const emailOf = new Map(users.map(({ id, email }) => [id, email]));
  const ofTeam = admins.map(({ userId, userEmail }) => emailOf.get(userId) ?? userEmail);
  return [...new Set([...rules.emails, ...ofTeam.filter((email) => email !== null)])];
}
