import { isObject, parseJson, runFakeCli } from "./fake-server.ts";
import { startSinkServer, type SinkReply, type SinkRequestSeen, type SinkServer } from "./sink-server.ts";

/**
 * A stand-in for Datadog: the logs intake (`POST /api/v2/logs`) and the validation of a key
 * (`GET /api/v1/validate`). It takes a request whole or not at all, as the intake does, and keeps its limits.
 */

/** A log as Datadog stores it, `message` parsed. */
export type FakeDatadogLog = { apiKey: string; entry: Record<string, string>; message: Record<string, unknown> };

/** The running fake. */
export type FakeDatadog = SinkServer & { logs: FakeDatadogLog[] };

const entryNames = new Set(["ddsource", "ddtags", "hostname", "message", "service", "status"]);

/** Starts the fake on 127.0.0.1; other keys than these get a 403. */
export async function startFakeDatadog({
  apiKeys,
  port = 0,
}: {
  apiKeys: readonly string[];
  port?: number;
}): Promise<FakeDatadog> {
  const logs: FakeDatadogLog[] = [];
  const server = await startSinkServer((request) => answer(request, apiKeys, logs), port);
  return { ...server, logs };
}

function answer(request: SinkRequestSeen, apiKeys: readonly string[], logs: FakeDatadogLog[]): SinkReply {
  const apiKey = request.headers["dd-api-key"];
  const route = `${request.method} ${request.path}`;
  if (!["POST /api/v2/logs", "GET /api/v1/validate"].includes(route)) return refusal(404, "Not found");
  if (typeof apiKey !== "string" || apiKey === "") return refusal(401, "API key is missing");
  if (!apiKeys.includes(apiKey)) return refusal(403, `Forbidden for ${apiKey}`);
  if (request.method === "GET") return { status: 200, body: { valid: true } };
  if (request.headers["content-type"] !== "application/json") return refusal(415, "content-type");
  if (Buffer.byteLength(request.text) > 5_000_000) return refusal(413, "Payload too big");
  const entries = parseJson(request.text);
  if (!Array.isArray(entries) || entries.length > 1000) return refusal(400, "no array of at most 1000 logs");
  const parsed: FakeDatadogLog[] = [];
  for (const entry of entries) {
    const message = isObject(entry) ? parseJson(String(entry.message)) : undefined;
    if (!isObject(entry) || !isObject(message)) return refusal(400, "an entry is no object, or its message no JSON");
    if (Object.entries(entry).some(([name, value]) => !entryNames.has(name) || typeof value !== "string"))
      return refusal(400, "an entry has a field that is no text, or unknown");
    if (Buffer.byteLength(JSON.stringify(entry)) > 1_000_000) return refusal(400, "a log would be cut at 1 MB");
    parsed.push({
      apiKey,
      entry: Object.fromEntries(Object.entries(entry).map(([name, value]) => [name, String(value)])),
      message,
    });
  }
  logs.push(...parsed);
  return { status: 202, body: {} };
}

function refusal(status: number, detail: string): SinkReply {
  return { status, body: { errors: [{ status: String(status), title: "Refused", detail }] } };
}

if (import.meta.main) await runFakeCli((port) => startFakeDatadog({ port, apiKeys: ["dd-key-1"] }));
