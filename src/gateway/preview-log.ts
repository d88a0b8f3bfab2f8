import { z } from "zod";
import type { Caller } from "#keys/caller.ts";
import { planCall } from "#gateway/call.ts";
import { startCall, toCallRecord, type CallEnd } from "#gateway/call-record.ts";
import { findGroup } from "#gateway/choose-deployment.ts";
import { chat } from "#gateway/operations/chat.ts";
import { toUsage } from "#gateway/usage.ts";
import { configState } from "#lib/config.ts";
import type { Db } from "#lib/db.ts";
import { AppError } from "#lib/errors.ts";
import { newRecordId } from "#lib/id.ts";
import { decidedBy, readSubject, whyNothing } from "#logging/effective-logging.ts";
import { firing, withoutKeyInfo } from "#logging/log-call.ts";
import type { LogPlan } from "#logging/log-plan.ts";
import { previewDelivery, PreviewedDelivery } from "#logging/preview-delivery.ts";
import { PolicyLevel } from "#logging/policy.ts";
import type { Environment } from "#logging/resolve-callback.ts";
import { isJsonObject, type JsonObject } from "#logging/record.ts";

const HeaderName = z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, "is no name of a header");
const HeaderValue = z.string().regex(/^[\t\x20-\x7e\x80-\xff]*$/, "is no value of a header");

/** The body of `POST /v1/logging/preview`: a request as it would be sent, and what shall have become of it. */
export const PreviewLog = z.object({
  request: chat.body,
  /** The simulated answer; a short one of our own where it is absent. */
  response: z.custom<JsonObject>(isJsonObject, "must be an object").nullish(),
  /** A simulated failure; it wins over `response`. */
  error: z.object({ code: z.string(), class: z.string().default("APIError"), message: z.string() }).nullish(),
  headers: z.record(HeaderName, HeaderValue).default({}),
});
export type PreviewLog = z.output<typeof PreviewLog>;

/** What each destination of a key would get for a call. */
export const LogPreview = z.object({
  status: z.enum(["success", "failure"]),
  decided_by: z.enum([...PolicyLevel.options, "request_credentials"]),
  reason: z.string().nullable().describe("Why nothing is logged at all; null where something is."),
  callbacks: z.array(PreviewedDelivery),
});
export type LogPreview = z.output<typeof LogPreview>;

/** Who previews what, and the environment in which callbacks find their variables. */
export type PreviewInput = { caller: Caller; body: PreviewLog; env: Environment };

/**
 * Shows what would leave the gateway for a call of this key, per destination and after redaction. Nothing is sent,
 * queued or logged. Throws as the call itself would where the key may not use the model.
 */
export async function previewLog(db: Db, { caller, body, env }: PreviewInput): Promise<LogPreview> {
  const start = startCall({
    callId: newRecordId(),
    callIdIsClients: false,
    operation: chat,
    route: "/v1/chat/completions",
    caller,
    body: body.request,
    headers: new Headers(body.headers),
  });
  const { plan } = planCall(start);
  const record = toCallRecord(start, toEnd(caller, body));
  const subject = await readSubject(db, caller);
  const fires = new Set(firing(plan, record).map(({ callbackId }) => callbackId));
  const viewer = { isAdmin: caller.role === "proxy_admin", env };
  const keepMetadata = configState.get().litellm_settings.redaction_keep_metadata_keys;
  const callbacks: PreviewedDelivery[] = [];
  for (const target of plan.targets) {
    const before = caller.logging.targets.find(({ callbackId }) => callbackId === target.callbackId);
    const isRequests = (before?.redaction ?? caller.logging.silentRedaction) !== target.redaction;
    const redactionDecidedBy = isRequests ? ("request" as const) : decidedBy(target, subject);
    const given = { target, redactionDecidedBy, fires: fires.has(target.callbackId), keepMetadata };
    callbacks.push(await previewDelivery(db, { ...given, record: withoutKeyInfo(record) }, viewer));
  }
  const reason = whyNothing(caller.logging, subject) ?? whyUnplanned(plan);
  const isClients = plan.targets.some(({ credentials }) => credentials !== undefined);
  const decided = isClients ? ("request_credentials" as const) : caller.logging.level;
  return { status: record.status, decided_by: decided, reason: isClients ? null : reason, callbacks };
}

function whyUnplanned({ reason }: LogPlan): string | null {
  switch (reason) {
    case null:
      return null;
    case "disabled":
      return "The team's logging is disabled.";
    case "no-log":
      return "The request asked not to be logged, or switched off every callback.";
    case "none":
      return "No callback logs this call.";
  }
}

function toEnd(caller: Caller, { request, response, error }: PreviewLog): CallEnd {
  const model = readModel(request);
  const answer = error ? null : (response ?? sampleAnswer(model));
  return {
    deployment: findGroup(caller, model)[0] ?? null,
    response: answer,
    usage: toUsage(answer?.usage),
    error: error ?? null,
    completionStartTimeMs: null,
    clientDisconnected: false,
  };
}

function readModel({ model }: JsonObject): string {
  if (typeof model === "string" && model !== "") return model;
  throw new AppError("bad_request", "request.model: a model is required", { param: "request.model" });
}

function sampleAnswer(model: string): JsonObject {
  return {
    id: "chatcmpl-preview",
    object: "chat.completion",
    model,
    choices: [{ index: 0, finish_reason: "stop", message: { role: "assistant", content: "(a sample answer)" } }],
    usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
  };
}
