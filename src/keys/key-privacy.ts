import { z } from "zod";
import { configState } from "#lib/config.ts";
import type { Db } from "#lib/db.ts";
import { AppError } from "#lib/errors.ts";
import { decideRedaction, mustLogOf } from "#logging/policy.ts";
import type { CallbackPlan } from "#logging/plan-callbacks.ts";
import type { LoggingInput } from "#logging/read-logging.ts";
import { readStatement } from "#logging/read-statement.ts";
import { RedactionLevel, stricterLevel } from "#logging/redaction-level.ts";

/** What a write says about the privacy of a key's calls, and what is stored; null for a new key. */
export type PrivacyChange = {
  teamId: string;
  redaction: RedactionLevel | null | undefined;
  /** Null where the write says nothing of `metadata`. */
  logging: { said: LoggingInput; plan: CallbackPlan } | null;
  stored: { loggingState: LoggingInput["state"]; redaction: string | null; metadata: unknown } | null;
};

const Steering = z
  .object({
    allow_client_message_redaction_opt_out: z.boolean().catch(false),
    litellm_disabled_callbacks: z.array(z.string()).catch([]),
  })
  .catch({ allow_client_message_redaction_opt_out: false, litellm_disabled_callbacks: [] });

/**
 * Throws 403 where the owner of a team's key would make its logs less private than they are, or would send them
 * somewhere else: that is for the team's administrators. Opting out is for him, unless `must_log` holds.
 */
export async function assertMorePrivate(db: Db, change: PrivacyChange): Promise<void> {
  const { logging, stored } = change;
  const config = configState.get();
  const team = await readStatement(db, { teamId: change.teamId });
  if (logging) assertLogging(logging, stored?.loggingState ?? "unset", mustLogOf({ team }, config));
  if (logging) assertSteering(logging.said.metadata, stored?.metadata);
  if (change.redaction === undefined) return;
  const subject = { teamId: change.teamId, key: null, team };
  const inherited = decideRedaction({ redaction: null }, subject, config).level;
  const before =
    RedactionLevel.nullable()
      .catch(null)
      .parse(stored?.redaction ?? null) ?? inherited;
  const after = change.redaction ?? inherited;
  if (stricterLevel(after, before) !== after) throw refused("redaction", `redaction may not be less than ${before}`);
}

function assertLogging(
  { said, plan }: NonNullable<PrivacyChange["logging"]>,
  state: LoggingInput["state"],
  mustLog: boolean,
): void {
  if (said.state === "disabled" && state !== "disabled" && mustLog) {
    throw refused("metadata.logging", "must_log is set, so no key opts out");
  }
  if (said.state === "disabled") return;
  const isSame = plan.removedIds.length === 0 && plan.planned.every((callback) => callback.change === "kept");
  if (said.state === state && isSame) return;
  throw refused("metadata.logging", "metadata.logging may only be left as it is or be an empty list");
}

function assertSteering(given: unknown, stored: unknown): void {
  const before = Steering.parse(stored ?? {});
  const after = Steering.parse(given);
  if (after.allow_client_message_redaction_opt_out && !before.allow_client_message_redaction_opt_out) {
    throw refused("metadata.allow_client_message_redaction_opt_out", "redaction may not be made optional");
  }
  const isHeardAgain = before.litellm_disabled_callbacks.some(
    (name) => !after.litellm_disabled_callbacks.includes(name),
  );
  if (isHeardAgain) throw refused("metadata.litellm_disabled_callbacks", "callbacks may not be switched on again");
}

function refused(param: string, reason: string): AppError {
  const message = `A member may only make his key more private: ${reason}. Ask an administrator of the team.`;
  return new AppError("forbidden", message, { param });
}
