import { z } from "zod";
import { configState } from "#lib/config.ts";
import type { Db } from "#lib/db.ts";
import { CallbackType } from "#logging/callback.ts";
import { CallbackRules } from "#logging/callback-rules.ts";
import { ContentClass } from "#logging/content-class.ts";
import { hideValues, openCallback, showTarget, type Viewer } from "#logging/open-callback.ts";
import { choosePolicy, decideRedaction, PolicyLevel, RedactionDecider } from "#logging/policy.ts";
import type { LoggingPolicy, PolicySubject, PolicyTarget } from "#logging/policy.ts";
import { planLog } from "#logging/log-plan.ts";
import { readStatement } from "#logging/read-statement.ts";
import { RedactionLevel } from "#logging/redaction-level.ts";

/** One callback of the deciding level. */
export const EffectiveCallback = z
  .object({
    callback_name: z.string(),
    callback_id: z.string(),
    fires_on: CallbackType,
    redaction: RedactionLevel,
    redaction_decided_by: RedactionDecider,
    redact_classes: z
      .array(ContentClass)
      .readonly()
      .describe("Classes of content that this callback leaves out whatever the level says."),
    rules: CallbackRules.nullable().describe("Which calls it gets; null for all."),
    target: z
      .record(z.string(), z.string())
      .nullable()
      .describe("The variables that choose where records go, without secrets; null for the destination's own default."),
    enabled: z.boolean().describe("False where records are not sent there, with the reason."),
    reason: z.string().nullable(),
  })
  .meta({ id: "EffectiveCallback" });
export type EffectiveCallback = z.output<typeof EffectiveCallback>;

/** Where the logs of one key go, and why, before a request says anything itself. */
export const EffectiveLogging = z.object({
  decided_by: PolicyLevel,
  reason: z.string().nullable().describe("Why nothing is logged at all; null where something is."),
  must_log: z.boolean().describe("True where `must_log` overrules an opt-out of the key."),
  callbacks: z.array(EffectiveCallback),
});
export type EffectiveLogging = z.output<typeof EffectiveLogging>;

/** Whose logging is asked for. */
export type LoggingOwner = {
  keyHash: string | null;
  teamId: string | null;
  /** Callback names that the key's metadata switches off. */
  disabledCallbacks: readonly string[];
};

/** Reads what key and team say about their logs. */
export async function readSubject(
  db: Db,
  { keyHash, teamId }: Pick<LoggingOwner, "keyHash" | "teamId">,
): Promise<PolicySubject> {
  const key = keyHash === null ? null : await readStatement(db, { keyHash });
  const team = teamId === null ? null : await readStatement(db, { teamId });
  return { teamId, key, team };
}

/** Works out where the logs of a key go, which level decided it, and with what redaction. */
export async function getEffectiveLogging(db: Db, owner: LoggingOwner, viewer: Viewer): Promise<EffectiveLogging> {
  const config = configState.get();
  const subject = await readSubject(db, owner);
  const policy = choosePolicy(subject, config);
  const { disabledCallbacks } = owner;
  const controls = { noLog: false, disabledCallbacks, redact: false, liftRedaction: false };
  const plan = planLog(policy, { controls, isTeamDisabled: policy.level === "team_disabled" }, config);
  const planned = new Map(plan.targets.map((target) => [target.callbackId, target]));
  const callbacks = await Promise.all(
    policy.targets.map((target) =>
      // What is planned is without the rules that `must_log` overrules.
      describe(db, planned.get(target.callbackId) ?? target, {
        subject,
        viewer,
        isPlanned: planned.has(target.callbackId),
      }),
    ),
  );
  return { decided_by: policy.level, reason: whyNothing(policy, subject), must_log: plan.mustLog, callbacks };
}

async function describe(
  db: Db,
  target: PolicyTarget,
  { subject, viewer, isPlanned }: { subject: PolicySubject; viewer: Viewer; isPlanned: boolean },
): Promise<EffectiveCallback> {
  const { callbackId, callbackName, firesOn, redaction } = target;
  const opened = await openCallback(db, { callbackId, callbackName }, viewer);
  const fault = opened.resolved.state === "misconfigured" ? hideValues(opened.resolved.message, opened) : null;
  const reason = isPlanned
    ? fault && `Its records wait: ${fault}`
    : "litellm_disabled_callbacks switches it off, in the key's metadata or in an entry beside it.";
  return {
    callback_name: callbackName,
    callback_id: callbackId,
    fires_on: firesOn,
    redaction,
    redaction_decided_by: decidedBy(target, subject),
    redact_classes: target.redactClasses ?? [],
    rules: target.rules ?? null,
    target: showTarget(opened),
    enabled: reason === null,
    reason,
  };
}

/** Which level decided the redaction of a policy's target. */
export function decidedBy({ callbackId }: Pick<PolicyTarget, "callbackId">, subject: PolicySubject): RedactionDecider {
  const stored = [...(subject.key?.callbacks ?? []), ...(subject.team?.callbacks ?? [])];
  const callback = stored.find((known) => known.callbackId === callbackId) ?? { redaction: null };
  return decideRedaction(callback, subject, configState.get()).decidedBy;
}

/** Why a policy logs nothing, as a sentence; null where it logs. */
export function whyNothing({ level, targets }: LoggingPolicy, { key, team }: PolicySubject): string | null {
  if (level === "team_disabled") return "The team's logging is disabled (POST /team/{team_id}/disable_logging).";
  if (level === "key_disabled") return "The key opted out of logging (metadata.logging is an empty list).";
  if (targets.length > 0) return null;
  if (level === "key" && key) return "None of the key's callbacks can be used; POST /key/health says why.";
  if (level === "team" && team) return "None of the team's callbacks can be used.";
  if (level === "default_team_settings") return "The team's entry in default_team_settings lists no callback.";
  return "Neither key nor team has a callback, and config.yaml sets none.";
}
