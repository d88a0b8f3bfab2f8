import { z } from "zod";
import type { Actor } from "#keys/actor.ts";
import { assertMayInspectTeam } from "#keys/rights.ts";
import { isTeamId } from "#keys/team-id.ts";
import type { Database } from "#lib/db.ts";
import { AppError } from "#lib/errors.ts";
import { signerState } from "#lib/sign.ts";
import { version } from "#lib/version.ts";
import { deliveryState } from "#logging/delivery.ts";
import { sendCanary } from "#teams/confirm-disable.ts";
import { keepSuppressedCounts } from "#teams/keep-suppressed-counts.ts";

/** ISO 8601 in UTC. */
const Time = z.string();
const Canary = z.enum(["refused", "queued"]);

/** What this installation states of the newest time that a team's logging was switched off. */
export const DisableStatement = z.object({
  type: z.literal("sluice/disable_logging"),
  /** Of this disable; the statement of a later one has another. */
  id: z.string(),
  issued_at: Time,
  issued_by: z.string(),
  team_id: z.string(),
  disabled_by: z.string(),
  /** Whom the `litellm-changed-by` header named. */
  changed_by: z.string().nullable(),
  requested_at: Time,
  /** Since when no gateway sends anything; null: a live one has not confirmed yet. */
  effective_since: Time.nullable(),
  /** When logging was switched on again; null: it is off. */
  enabled_again_at: Time.nullable(),
  suppressed: z.object({
    /** Deliveries that waited in a queue and were removed. */
    queued_deliveries_removed: z.int(),
    /** Calls that were answered since and left no record. */
    calls_not_logged: z.int(),
  }),
  /** What each gateway confirmed. The canary is a record of the team that it tried to queue. */
  gateways: z.array(z.object({ id: z.string(), confirmed_at: Time, removed: z.int(), canary: Canary })),
  /** Gateways that ended before they confirmed: their lease was over, so they sent nothing. */
  gateways_lapsed: z.array(z.string()),
  /** A canary of just now, on the gateway that answers; null where logging is on again. */
  self_test: z.object({ canary: Canary, passed: z.boolean() }).nullable(),
});
export type DisableStatement = z.output<typeof DisableStatement>;

/** A statement, and the same one signed: a compact JSON Web Signature over its JSON. */
export const SignedDisableStatement = z.object({ statement: DisableStatement, jws: z.string() });

const columns = {
  id: true,
  actor: true,
  changedBy: true,
  requestedAt: true,
  effectiveAt: true,
  enabledAt: true,
  callsNotLogged: true,
  lapsedReplicas: true,
  confirmations: { orderBy: { confirmedAt: "asc" } },
} as const;

/**
 * States when and by whom a team's logging was switched off, since when that holds and what was suppressed, and signs
 * it. For administrators of the team and who reads everything, also when the team is deleted. Throws 404 where the
 * team's logging was never switched off.
 */
export async function getDisableStatement(
  db: Database["db"],
  actor: Actor,
  teamId: string,
): Promise<z.input<typeof SignedDisableStatement>> {
  await assertMayInspectTeam(db, actor, teamId);
  await keepSuppressedCounts(db);
  const stored = isTeamId(teamId)
    ? await db.loggingDisable.findFirst({ where: { teamId }, orderBy: { requestedAt: "desc" }, select: columns })
    : null;
  if (!stored) throw neverDisabled(teamId);
  const canary = stored.enabledAt === null && deliveryState.get().isDisabled(teamId) ? await sendCanary(teamId) : null;
  const statement: DisableStatement = {
    type: "sluice/disable_logging",
    id: stored.id,
    issued_at: new Date().toISOString(),
    issued_by: `Sluice ${version}`,
    team_id: teamId,
    disabled_by: stored.actor,
    changed_by: stored.changedBy,
    requested_at: stored.requestedAt.toISOString(),
    effective_since: stored.effectiveAt?.toISOString() ?? null,
    enabled_again_at: stored.enabledAt?.toISOString() ?? null,
    suppressed: {
      queued_deliveries_removed: stored.confirmations.reduce((sum, { removed }) => sum + removed, 0),
      calls_not_logged: Number(stored.callsNotLogged),
    },
    gateways: stored.confirmations.map(({ replicaId, confirmedAt, removed, canary: confirmed }) => ({
      id: replicaId,
      confirmed_at: confirmedAt.toISOString(),
      removed,
      canary: Canary.parse(confirmed),
    })),
    gateways_lapsed: stored.lapsedReplicas,
    self_test: canary === null ? null : { canary, passed: canary === "refused" },
  };
  return { statement, jws: signerState.get().sign(statement) };
}

function neverDisabled(teamId: string): AppError {
  const error = `The logging of team_id = ${teamId} was never disabled.`;
  return new AppError("not_found", error, { detail: { error } });
}
