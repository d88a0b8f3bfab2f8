import { UpstreamError } from "#lib/errors.ts";
import { derivedHex } from "#lib/id.ts";
import { toSafeWords } from "#logging/destinations/exchange.ts";
import { readIngestionAnswer } from "#logging/destinations/langfuse-ingestion-answer.ts";
import { postEvent } from "#logging/destinations/langfuse-ingestion-send.ts";
import { toLangfuseError } from "#logging/destinations/langfuse-request.ts";
import type { LangfuseSending } from "#logging/destinations/langfuse-send.ts";
import { secretsOf } from "#logging/destinations/langfuse-target.ts";

/**
 * Proves that a server still takes traces by the old batch, and leaves nothing there. A server judges an event's type
 * before its content, so a trace that is none is refused as invalid by one that would take a right one, and as a type
 * by one that takes OpenTelemetry only; a batch without events looks the same to both. Throws `UpstreamError` in the
 * server's words where it takes none.
 */
export async function probeIngestion(sending: Pick<LangfuseSending, "target" | "context">): Promise<void> {
  const { target, context } = sending;
  const id = derivedHex([context.callbackId, "test"], 16);
  const answer = await postEvent({ id, type: "trace-create", timestamp: "none", body: {} }, sending);
  const { status } = answer;
  if (![200, 201, 207].includes(status) || answer.isHtml) throw toLangfuseError(answer, target);
  const item = readIngestionAnswer(answer.text)?.get(id);
  const isRefusedAsInvalid = item?.status === 400 && !item.isEventTypeRefused;
  if (isRefusedAsInvalid) return;
  const words = item === undefined ? "no result for the event" : toSafeWords(item.words, secretsOf(target));
  const hint = item?.isEventTypeRefused === true ? " (langfuse_wire should be otlp)" : "";
  const message = `Langfuse at ${target.host} said ${String(item?.status ?? status)} to an event of the old batch: ${words}${hint}`;
  throw new UpstreamError(item?.status ?? status, message, { fault: "destination" });
}
