import { configState } from "#lib/config.ts";
import type { Db } from "#lib/db.ts";
import type { DeliveryAnswers } from "#logging/delivery-thread.ts";
import type { CallbackTarget } from "#logging/callback.ts";
import { planLog } from "#logging/log-plan.ts";
import {
  choosePolicy,
  defaultTeamCallbacks,
  defaultTeamSettingsIndex,
  globalCallbacks,
  redactionFor,
  type RedactedCallback,
} from "#logging/policy.ts";
import { readKeySteering, readStatement } from "#logging/read-statement.ts";
import { resolveCallback } from "#logging/resolve-callback.ts";

/** Answers what the delivery thread asks: callbacks from the database and config.yaml, and the redaction that holds now. */
export function answerDelivery(db: Db, env: Record<string, string | undefined>): DeliveryAnswers {
  return {
    resolve: ({ callbackId }) => resolveCallback(db, callbackId, env),
    async redaction({ callbackId, keyHash, teamId }) {
      const key = keyHash === null ? null : await readStatement(db, { keyHash });
      const team = teamId === null ? null : await readStatement(db, { teamId });
      // Where the callback stands now does not matter here: the record was queued for it before.
      const stored = [...(key?.callbacks ?? []), ...(team?.callbacks ?? [])];
      const callback =
        stored.find((target) => target.callbackId === callbackId) ?? configuredTarget(callbackId, teamId);
      const level = redactionFor(callback, { teamId, key, team }, configState.get());
      return { level, classes: callback.redactClasses ?? [] };
    },
    async target({ callbackId, keyHash, teamId }) {
      const steering = keyHash === null ? null : await readKeySteering(db, keyHash);
      const team = teamId === null ? null : await readStatement(db, { teamId });
      const config = configState.get();
      const isTeamKnown = teamId === null || team !== null || defaultTeamSettingsIndex(teamId, config) !== -1;
      // Nobody knows any more where the calls of a deleted key were to go, and how much of them.
      if ((keyHash !== null && steering === null) || !isTeamKnown) return null;
      const policy = choosePolicy({ teamId, key: steering?.statement ?? null, team }, config);
      // The request itself says nothing: what it said then stands in the record.
      const disabledCallbacks = steering?.disabledCallbacks ?? [];
      const controls = { noLog: false, disabledCallbacks, redact: false, liftRedaction: false };
      const { targets } = planLog(policy, { controls, isTeamDisabled: false }, config);
      return targets.find((target) => target.callbackId === callbackId) ?? null;
    },
  };
}

/** What config.yaml says of a callback of its own; nothing of one that is stored nowhere any more. */
function configuredTarget(
  callbackId: string,
  teamId: string | null,
): RedactedCallback & Pick<CallbackTarget, "redactClasses"> {
  const config = configState.get();
  const targets = [
    ...defaultTeamCallbacks(defaultTeamSettingsIndex(teamId, config), config),
    ...globalCallbacks(config),
  ];
  return targets.find((target) => target.callbackId === callbackId) ?? { redaction: null };
}
