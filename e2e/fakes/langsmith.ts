import { isObject, parseJson, runFakeCli } from "./fake-server.ts";
import { startSinkServer, type SinkReply, type SinkRequestSeen, type SinkServer } from "./sink-server.ts";

/**
 * A stand-in for LangSmith: the batch of runs with and without `/api/v1`, the list of projects, and `/info`. It refuses
 * runs whose ids contradict each other (422) and a run that it knows (409), and takes a request whole or not at all.
 */

/** A run as it was sent. */
export type FakeLangsmithRun = Record<string, unknown> & { id: string };

/** The running fake. */
export type FakeLangsmith = SinkServer & { runs: (FakeLangsmithRun & { apiKey: string })[] };

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const segment = /^(\d{8}T\d{12}Z)([0-9a-f-]{36})$/;

/** Starts the fake on 127.0.0.1; other keys than these get a 403. */
export async function startFakeLangsmith({
  apiKeys,
  sessionIds = [],
  port = 0,
}: {
  apiKeys: readonly string[];
  /** The projects that a run's `session_id` may name. */
  sessionIds?: readonly string[];
  port?: number;
}): Promise<FakeLangsmith> {
  const runs: FakeLangsmith["runs"] = [];
  const server = await startSinkServer((request) => {
    const apiKey = request.headers["x-api-key"];
    if (typeof apiKey !== "string" || !apiKeys.includes(apiKey)) {
      return { status: 403, body: { error: `Forbidden for ${String(apiKey)}` } };
    }
    const reply = answer(request, runs, sessionIds);
    if (!("taken" in reply)) return reply;
    runs.push(...reply.taken.map((run) => ({ ...run, apiKey })));
    return { status: 202, body: { message: "Runs batch ingested" } };
  }, port);
  return { ...server, runs };
}

function answer(
  request: SinkRequestSeen,
  known: readonly FakeLangsmithRun[],
  sessionIds: readonly string[],
): SinkReply | { taken: FakeLangsmithRun[] } {
  const route = `${request.method} ${request.path.replace(/^\/api\/v1/, "")}`;
  if (route === "GET /info") {
    return { status: 200, body: { batch_ingest_config: { use_multipart_endpoint: false, size_limit: 100 } } };
  }
  if (route === "GET /sessions?limit=1") return { status: 200, body: [{ id: "s", tenant_id: "t", name: "default" }] };
  if (route !== "POST /runs/batch") return { status: 404, body: { detail: "Not Found" } };
  const body = parseJson(request.text);
  if (!isObject(body) || !Array.isArray(body.post)) return { status: 422, body: { detail: "no post" } };
  const taken: FakeLangsmithRun[] = [];
  for (const run of body.post) {
    if (!isObject(run) || typeof run.id !== "string") return { status: 422, body: { detail: "a run without id" } };
    const problem = findProblem(run);
    if (problem !== null) return { status: 422, body: { detail: problem } };
    if (typeof run.session_id === "string" && !sessionIds.includes(run.session_id)) {
      return { status: 404, body: { detail: "Session not found" } };
    }
    if (known.some(({ id }) => id === run.id)) return { status: 409, body: { detail: "Run already exists" } };
    taken.push({ ...run, id: run.id });
  }
  return { taken };
}

/** What LangSmith would refuse about a run; null where it is sound. */
function findProblem(run: Record<string, unknown>): string | null {
  const { id, trace_id: traceId, parent_run_id: parentId, dotted_order: dottedOrder } = run;
  if (![id, traceId].every((value) => typeof value === "string" && uuid.test(value)))
    return "id or trace_id is no UUID";
  if (typeof dottedOrder !== "string") return "no dotted_order";
  const ids = dottedOrder.split(".").map((part) => segment.exec(part)?.[2]);
  if (ids.some((each) => each === undefined || !uuid.test(each))) return "invalid dotted_order";
  if (ids.at(-1) !== id || ids[0] !== traceId) return "dotted_order contradicts id or trace_id";
  if ((ids.at(-2) ?? undefined) !== parentId) return "dotted_order contradicts parent_run_id";
  if (run.run_type !== "llm" || typeof run.name !== "string") return "run_type or name";
  if (!isObject(run.inputs)) return "inputs";
  const isIso = (value: unknown) => typeof value === "string" && Number.isFinite(Date.parse(value));
  if (![run.start_time, run.end_time].every((time) => time === undefined || isIso(time) || typeof time === "number"))
    return "times";
  return null;
}

if (import.meta.main) await runFakeCli((port) => startFakeLangsmith({ port, apiKeys: ["lsv2_key_1"] }));
