import type { IncomingHttpHeaders } from "node:http";
import { gunzipSync } from "node:zlib";
import { parseJson } from "./fake-server.ts";
import { LangfuseRefusal, projectForIngestion, projectForListing, projectForOtlp } from "./langfuse-auth.ts";
import type { FakeOrganizationKey, FakeProject, LangfuseScope } from "./langfuse-auth.ts";
import type { FakeBehaviour } from "./langfuse-control.ts";
import { judgeBatch } from "./langfuse-ingestion.ts";
import { readExport } from "./langfuse-otlp.ts";
import { storeEvents, storeSpans } from "./langfuse-store.ts";
import type { ProjectStore } from "./langfuse-store.ts";

/** The public API of the fake Langfuse: which request gets which answer. */

/** How to run the fake. */
export type FakeLangfuseOptions = {
  port?: number;
  projects?: readonly FakeProject[];
  organizationKeys?: readonly FakeOrganizationKey[];
  /** The server's version (4.16.0): decides whether OTLP exists (3.22.0) and whether the old batch is refused (4.0.0). */
  version?: string;
  /** `dual` makes a server of version 4 accept the old batch. */
  writeMode?: "events_only" | "dual";
  /** False for Langfuse's own, loose checks. */
  strict?: boolean;
  /** In strict mode: accept trace and span ids that are any text, as Langfuse does over JSON. */
  verbatimIds?: boolean;
  /** A body larger than this, as it comes over the wire, is a 413, as of a reverse proxy. */
  bodyBytesMax?: number;
};

/** One request as it arrived (those under `/__fake/` are not kept). */
export type FakeLangfuseRequest = {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  /** Bytes over the wire. */
  bodyBytes: number;
  /** The body as text, uncompressed; empty where it could not be read. */
  text: string;
  /** The answered status; 0 where there was none. */
  status: number;
  /** The project whose secret was shown. */
  projectId: string | null;
  /** True where the public key was not that project's own. */
  publicKeyMismatch: boolean;
  /** Why it was refused. */
  problem: string | null;
};

/** What the running fake keeps. */
export type State = {
  options: FakeLangfuseOptions;
  version: string;
  projects: FakeProject[];
  stores: Map<string, ProjectStore>;
  requests: FakeLangfuseRequest[];
  behaviour: FakeBehaviour;
};

/** Status and body of an answer; a text is HTML, anything else is sent as JSON. */
export type Answer = { status: number; body: unknown };

/** A request to answer. */
export type Incoming = { entry: FakeLangfuseRequest; scope: LangfuseScope | string; body: Buffer };

/** Answers a request as the server would, and stores what it accepts. */
export function answerAs(state: State, incoming: Incoming): Answer {
  const { entry } = incoming;
  const limit = state.options.bodyBytesMax;
  try {
    if (limit !== undefined && entry.bodyBytes > limit) {
      entry.problem = `The body has ${String(entry.bodyBytes)} bytes, more than ${String(limit)}.`;
      return { status: 413, body: "<html><head><title>413 Request Entity Too Large</title></head></html>" };
    }
    return route(state, incoming);
  } catch (error) {
    if (!(error instanceof LangfuseRefusal)) throw error;
    entry.problem = error.message;
    return { status: error.status, body: error.body };
  }
}

function route(state: State, incoming: Incoming): Answer {
  const { entry, scope } = incoming;
  const path = entry.path.split("?")[0];
  if (path === "/api/public/otel/v1/traces" && isAtLeast(state.version, "3.22.0")) {
    if (entry.method !== "POST") throw methodNotAllowed();
    return takeTraces(state, incoming);
  }
  if (path === "/api/public/ingestion") {
    if (entry.method !== "POST") throw methodNotAllowed();
    return takeBatch(state, incoming);
  }
  if (path === "/api/public/health") {
    if (entry.method !== "GET") throw methodNotAllowed();
    return { status: 200, body: { status: "OK", version: state.version } };
  }
  if (path === "/api/public/projects") {
    if (entry.method !== "GET") throw new LangfuseRefusal(405, { message: "Method not allowed" });
    const { id, name } = projectForListing(scope);
    const organization = { id: "fake-organization", name: "Fake organization" };
    return { status: 200, body: { data: [{ id, name, organization, metadata: {} }] } };
  }
  return { status: 404, body: "<!DOCTYPE html><html><body>404: This page could not be found.</body></html>" };
}

function takeTraces(state: State, { entry, scope, body }: Incoming): Answer {
  const project = projectForOtlp(scope);
  const contentType = entry.headers["content-type"]?.toLowerCase() ?? "";
  entry.text = unzipped(body, entry.headers["content-encoding"], state.options.strict !== false);
  if (contentType.includes("application/x-protobuf")) {
    throw new LangfuseRefusal(400, { error: "Failed to parse OTel Protobuf Trace" });
  }
  if (!contentType.includes("application/json")) throw new LangfuseRefusal(400, { error: "Invalid content type" });
  const rules = { strict: state.options.strict !== false, verbatimIds: state.options.verbatimIds === true };
  const spans = readExport(parseJson(entry.text), rules);
  if (spans.length === 0) return { status: 200, body: { message: "OK" } };
  checkIngestionVersion(entry.headers["x-langfuse-ingestion-version"], state.version);
  const store = state.stores.get(project.id);
  if (store) storeSpans(store, spans);
  return { status: 200, body: { message: "OK" } };
}

function takeBatch(state: State, { entry, scope, body }: Incoming): Answer {
  const { project, scoresOnly } = projectForIngestion(scope);
  if (body.length > 4_718_592) return { status: 413, body: "Body exceeded 4.5mb limit" };
  const eventsOnly = isAtLeast(state.version, "4.0.0") && state.options.writeMode !== "dual";
  entry.text = body.toString("utf8");
  const { events, answer } = judgeBatch(parseJson(entry.text), { eventsOnly, scoresOnly });
  if (answer.errors.length > 0) entry.problem = JSON.stringify(answer.errors);
  const store = state.stores.get(project.id);
  if (store) storeEvents(store, events);
  return { status: 207, body: answer };
}

function unzipped(body: Buffer, encoding: string | undefined, strict: boolean): string {
  if (encoding?.includes("gzip")) {
    try {
      return gunzipSync(body).toString("utf8");
    } catch {
      throw new LangfuseRefusal(400, { error: "Failed to decompress request body" });
    }
  }
  if (strict && encoding !== undefined && encoding !== "identity") {
    throw new LangfuseRefusal(400, { error: "Failed to parse OTel JSON Trace" });
  }
  return body.toString("utf8");
}

function checkIngestionVersion(header: string | string[] | undefined, serverVersion: string): void {
  if (header === undefined || !isAtLeast(serverVersion, "3.154.0")) return;
  const version = Number.parseInt(String(header), 10);
  if (!Number.isNaN(version) && version <= 4) return;
  const error = `Unsupported x-langfuse-ingestion-version: "${String(header)}". Maximum supported: "4".`;
  throw new LangfuseRefusal(400, { error });
}

function methodNotAllowed(): LangfuseRefusal {
  return new LangfuseRefusal(405, { message: "Method not allowed", error: "MethodNotAllowedError" });
}

function isAtLeast(version: string, minimum: string): boolean {
  return version.localeCompare(minimum, "en", { numeric: true }) >= 0;
}
