import type { IncomingMessage, ServerResponse } from "node:http";
import { z } from "zod";
import { parseJson, sendJson } from "./fake-server.ts";
import { countCalls, countStore } from "./langfuse-store.ts";
import type { FakeProject } from "./langfuse-auth.ts";
import type { ProjectStore } from "./langfuse-store.ts";

/**
 * The fake's own routes under `/__fake/`, for a process that is not the one that started it. They need no key.
 * `GET stats` counts per project; `GET calls?project=ID` says how often each call id arrived; `GET spans?project=ID`
 * lists spans; `POST projects` adds one; `POST behaviour` changes what the API does; `POST reset` empties all.
 */

/** How the API misbehaves. What is absent is normal. */
export type FakeBehaviour = {
  /** Only for this project's keys. */
  projectId?: string | undefined;
  /** Only for so many requests, then normal again. */
  times?: number | undefined;
  /** Connections are destroyed before an answer. */
  down?: boolean | undefined;
  /** There is no answer. */
  hang?: boolean | undefined;
  /** The request is handled and stored, but the connection is destroyed instead of an answer. */
  loseAnswer?: boolean | undefined;
  /** This status and body are answered, and nothing is stored. */
  status?: number | undefined;
  headers?: Record<string, string> | undefined;
  body?: unknown;
  /** A pause before the request is handled. */
  latencyMs?: number | undefined;
};

/** What the control routes work on. */
export type FakeControl = {
  stores: Map<string, ProjectStore>;
  countRequests(projectId: string): { requests: number; mismatches: number };
  addProject(project: FakeProject): void;
  setBehaviour(behaviour: FakeBehaviour): void;
  reset(): void;
};

const projectBody = z.object({ id: z.string(), name: z.string(), publicKey: z.string(), secretKey: z.string() });
const behaviourBody = z.strictObject({
  projectId: z.string().optional(),
  times: z.int().optional(),
  down: z.boolean().optional(),
  hang: z.boolean().optional(),
  loseAnswer: z.boolean().optional(),
  status: z.int().optional(),
  headers: z.record(z.string(), z.string()).optional(),
  body: z.unknown().optional(),
  latencyMs: z.number().optional(),
});

/** Answers a request under `/__fake/`. */
export function answerControl(
  control: FakeControl,
  { request, response, text }: { request: IncomingMessage; response: ServerResponse; text: string },
): void {
  const url = new URL(request.url ?? "/", "http://fake");
  const store = control.stores.get(url.searchParams.get("project") ?? "");
  const route = `${request.method ?? ""} ${url.pathname.slice("/__fake/".length)}`;
  if (route === "GET stats") {
    const projects = [...control.stores].map(
      ([id, kept]) => [id, { ...countStore(kept), ...control.countRequests(id) }] as const,
    );
    sendJson(response, { status: 200, body: { projects: Object.fromEntries(projects) } });
  } else if (route === "GET calls" && store) sendJson(response, { status: 200, body: { calls: countCalls(store) } });
  else if (route === "GET spans" && store)
    sendJson(response, { status: 200, body: { spans: [...store.spans.values()] } });
  else if (route === "POST projects") {
    control.addProject(projectBody.parse(parseJson(text)));
    sendJson(response, { status: 200, body: {} });
  } else if (route === "POST behaviour") {
    control.setBehaviour(behaviourBody.parse(parseJson(text)));
    sendJson(response, { status: 200, body: {} });
  } else if (route === "POST reset") {
    control.reset();
    sendJson(response, { status: 200, body: {} });
  } else sendJson(response, { status: 404, body: { error: "No such control route, or no such project." } });
}
