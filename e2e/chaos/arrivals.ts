import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { startFakeLangfuse } from "../fakes/langfuse.ts";
import { parseJson } from "../fakes/fake-server.ts";
import { startSinkServer, type SinkBehaviour } from "../fakes/sink-server.ts";
import { langfuseVars, makeProject } from "../rest/admin.ts";

/** A record as a destination has it; what arrived again under the same record id is one. */
export type Arrival = {
  destination: string;
  recordId: string;
  callId: string;
  team: string | null;
  keyHash: string | null;
  costUsd: number;
  status: string;
  inputMarks: string[];
  outputMarks: string[];
  /** When it first arrived. Null if the record was only found in a file. */
  atMs: number | null;
};

/** A destination that a team or key can be given, and that misbehaves when told to. */
export type Sink = {
  name: string;
  callback: { callback_name: string; callback_vars: Record<string, string> };
  secrets: string[];
  setBehaviour(behaviour: SinkBehaviour): void;
  arrivals(): Arrival[];
  close(): Promise<void>;
};

const markPattern = /mark-[0-9a-z]+-\d+(?:\.end)?/g;

/** The marks in a text, each once. */
export function marksIn(text: string): string[] {
  return [...new Set(text.match(markPattern) ?? [])];
}

const Payload = z.looseObject({
  record_id: z.string(),
  call_id: z.string(),
  response_cost: z.number().nullish(),
  status: z.string(),
  messages: z.unknown(),
  response: z.unknown(),
  metadata: z.looseObject({
    user_api_key_team_id: z.string().nullish(),
    user_api_key_hash: z.string().nullish(),
  }),
});

function toArrival(destination: string, given: unknown, atMs: number | null): Arrival {
  const { metadata, ...payload } = Payload.parse(given);
  return {
    destination,
    recordId: payload.record_id,
    callId: payload.call_id,
    team: metadata.user_api_key_team_id ?? null,
    keyHash: metadata.user_api_key_hash ?? null,
    costUsd: payload.response_cost ?? 0,
    status: payload.status,
    inputMarks: marksIn(JSON.stringify(payload.messages)),
    outputMarks: marksIn(JSON.stringify(payload.response)),
    atMs,
  };
}

/** A webhook that keeps what it is sent. */
export async function startWebhookSink(name: string, nowMs: () => number): Promise<Sink> {
  const arrivals = new Map<string, Arrival>();
  const secret = `whsec-chaos-${name}-0123456789`;
  const server = await startSinkServer(({ text }) => {
    // The frame keeps all requests, which would be gigabytes here.
    server.requests.length = 0;
    for (const given of z.array(z.unknown()).parse(parseJson(text))) {
      const arrival = toArrival(name, given, nowMs());
      if (!arrivals.has(arrival.recordId)) arrivals.set(arrival.recordId, arrival);
    }
    return { status: 200, body: {} };
  }, 0);
  return {
    name,
    callback: {
      callback_name: "webhook",
      callback_vars: { webhook_url: `${server.url}/${name}`, webhook_secret: secret },
    },
    secrets: [secret],
    setBehaviour: server.setBehaviour,
    arrivals: () => [...arrivals.values()],
    close: server.close,
  };
}

/** A Langfuse project, reached over OTLP. */
export async function startLangfuseSink(name: string, nowMs: () => number): Promise<Sink> {
  const project = makeProject(name);
  const langfuse = await startFakeLangfuse({ projects: [project] });
  const forget = setInterval(() => void (langfuse.requests.length = 0), 1_000);
  const startedAtMs = Date.now() - nowMs();
  return {
    name,
    callback: { callback_name: "langfuse", callback_vars: langfuseVars(langfuse.url, project) },
    secrets: [project.secretKey],
    setBehaviour: langfuse.setBehaviour,
    arrivals: () =>
      langfuse.project(name).spans.map((span) => ({
        destination: name,
        recordId: String(span.metadata["record_id"]),
        callId: String(span.metadata["litellm_call_id"]),
        team: textOrNull(span.metadata["user_api_key_team_id"]),
        keyHash: textOrNull(span.metadata["user_api_key_hash"]),
        costUsd: Number(span.metadata["litellm_response_cost"] ?? 0),
        status: span.level === "ERROR" ? "failure" : "success",
        inputMarks: marksIn(JSON.stringify(span.input)),
        outputMarks: marksIn(JSON.stringify(span.output)),
        atMs: span.receivedAtMs - startedAtMs,
      })),
    async close() {
      clearInterval(forget);
      await langfuse.close();
    },
  };
}

/** What `local_files` wrote below the data directories: where calls go for which nobody named a destination. */
export async function readLocalFiles(name: string, dataDirs: readonly string[]): Promise<Arrival[]> {
  const arrivals = new Map<string, Arrival>();
  for (const dataDir of dataDirs) {
    const folder = join(dataDir, "logs");
    for (const file of await readdir(folder).catch(() => [])) {
      const lines = (await readFile(join(folder, file), "utf8")).split("\n");
      for (const given of lines.map(parseJson)) {
        // A kill in the middle of a write leaves half a line, which the next process ends.
        if (given === undefined) continue;
        const arrival = toArrival(name, given, null);
        arrivals.set(arrival.recordId, arrival);
      }
    }
  }
  return [...arrivals.values()];
}

function textOrNull(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}
