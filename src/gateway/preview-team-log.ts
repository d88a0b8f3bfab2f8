import { previewLog, PreviewLog, type LogPreview } from "#gateway/preview-log.ts";
import { modelsState } from "#gateway/models.ts";
import { strangerCaller, type Caller } from "#keys/caller.ts";
import { configState } from "#lib/config.ts";
import type { Db } from "#lib/db.ts";
import { AppError } from "#lib/errors.ts";
import { readSubject } from "#logging/effective-logging.ts";
import { choosePolicy } from "#logging/policy.ts";
import type { Environment } from "#logging/resolve-callback.ts";

/** A call of a team's, by what is said in it. */
export type TeamSample = {
  teamId: string;
  prompt: string;
  answer: string;
  isAdmin: boolean;
  env: Environment;
};

/**
 * Shows what would leave the gateway for a call of a team whose key says nothing of its own. Nothing is sent, queued or
 * logged. Throws 400 where the gateway has no model.
 */
export async function previewTeamLog(
  db: Db,
  { prompt, answer, isAdmin, env, teamId }: TeamSample,
): Promise<LogPreview> {
  const [model] = modelsState.get().keys();
  if (model === undefined)
    throw new AppError("bad_request", "config.yaml lists no model, so there is no call to show.");
  const body = PreviewLog.parse({
    request: { model, messages: [{ role: "user", content: prompt }] },
    response: {
      id: "chatcmpl-preview",
      object: "chat.completion",
      model,
      choices: [{ index: 0, finish_reason: "stop", message: { role: "assistant", content: answer } }],
      usage: { prompt_tokens: 12, completion_tokens: 8, total_tokens: 20 },
    },
  });
  return previewLog(db, { caller: await toCaller(db, { teamId, isAdmin }), body, env });
}

/** Whoever calls with a plain key of the team. */
async function toCaller(db: Db, { teamId, isAdmin }: { teamId: string; isAdmin: boolean }): Promise<Caller> {
  const subject = await readSubject(db, { keyHash: null, teamId });
  return {
    ...strangerCaller,
    role: isAdmin ? "proxy_admin" : "internal_user",
    teamId,
    logging: choosePolicy(subject, configState.get()),
    attribution: { ...strangerCaller.attribution, teamId },
  };
}
