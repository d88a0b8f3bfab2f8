import { createHmac } from "node:crypto";
import { isObject, parseJson, runFakeCli } from "./fake-server.ts";
import { startSinkServer, type SinkReply, type SinkRequestSeen, type SinkServer } from "./sink-server.ts";

/**
 * A stand-in for a team's own webhook: takes arrays of records, checks the signature where it has a secret, and keeps
 * records once by `record_id`, as the documentation asks of a receiver.
 */

/** A record as it arrived. */
export type FakeWebhookRecord = { record: Record<string, unknown>; receivedCount: number; idempotencyKey: string };

/** The running fake. */
export type FakeWebhook = SinkServer & { records: FakeWebhookRecord[] };

/** Starts the fake on 127.0.0.1. */
export async function startFakeWebhook({
  secret,
  port = 0,
}: { secret?: string; port?: number } = {}): Promise<FakeWebhook> {
  const records: FakeWebhookRecord[] = [];
  const server = await startSinkServer((request) => answer(request, records, secret), port);
  return { ...server, records };
}

function answer(request: SinkRequestSeen, records: FakeWebhookRecord[], secret: string | undefined): SinkReply {
  if (request.method !== "POST") return { status: 405, body: { error: "POST only" } };
  if (secret !== undefined && !isSigned(request, secret)) return { status: 401, body: { error: "bad signature" } };
  const list = parseJson(request.text);
  const key = request.headers["idempotency-key"];
  if (!Array.isArray(list) || list.length === 0 || typeof key !== "string" || key === "")
    return { status: 400, body: { error: "no array, or no Idempotency-Key" } };
  if (request.headers["x-sluice-test"] === "true") {
    return { status: 200, body: { taken: list.map((entry) => (isObject(entry) ? entry.record_id : null)) } };
  }
  for (const record of list) {
    if (!isObject(record) || typeof record.record_id !== "string") return { status: 400, body: { error: "no record" } };
  }
  for (const record of list.filter(isObject)) {
    const known = records.find((each) => each.record.record_id === record.record_id);
    if (known) known.receivedCount += 1;
    else records.push({ record, receivedCount: 1, idempotencyKey: key });
  }
  return { status: 200, body: {} };
}

function isSigned({ headers, text }: SinkRequestSeen, secret: string): boolean {
  const [, seconds, signature] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(headers["x-sluice-signature"])) ?? [];
  if (seconds === undefined || Math.abs(Date.now() / 1000 - Number(seconds)) > 300) return false;
  return createHmac("sha256", secret).update(`${seconds}.${text}`).digest("hex") === signature;
}

if (import.meta.main) await runFakeCli((port) => startFakeWebhook({ port }));
