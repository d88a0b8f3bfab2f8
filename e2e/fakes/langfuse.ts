import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { readBody, runFakeCli, sendJson, sendText, startFakeServer } from "./fake-server.ts";
import { answerAs } from "./langfuse-api.ts";
import type { Answer, FakeLangfuseOptions, FakeLangfuseRequest, State } from "./langfuse-api.ts";
import { findScope } from "./langfuse-auth.ts";
import type { FakeProject, LangfuseScope } from "./langfuse-auth.ts";
import { answerControl } from "./langfuse-control.ts";
import type { FakeBehaviour } from "./langfuse-control.ts";
import { entitiesOf, makeStore } from "./langfuse-store.ts";
import type { StoredEntity, StoredSpan } from "./langfuse-store.ts";

/**
 * A stand-in for a Langfuse server with several projects on one host: OTLP traces, the old ingestion batch, health and
 * projects. It refuses what the real one refuses; `strict` (the default) also refuses what is no conformant OTLP/JSON,
 * which the real one would store half or not at all without telling. Protobuf is not understood (400).
 * Control routes for other processes: `langfuse-control.ts`.
 */

/** What one project received. */
export type FakeProjectView = {
  /** In order of first arrival. */
  spans: StoredSpan[];
  /** Of the old batch. */
  traces: StoredEntity[];
  observations: StoredEntity[];
  /** How many requests showed this project's secret. */
  requests: number;
};

/** The running fake. */
export type FakeLangfuse = {
  port: number;
  url: string;
  requests: FakeLangfuseRequest[];
  /** Throws where there is no such project. */
  project(id: string): FakeProjectView;
  addProject(project: FakeProject): void;
  /** Replaces the behaviour; `{}` is normal. */
  setBehaviour(behaviour: FakeBehaviour): void;
  /** Forgets what was received; projects and behaviour stay. */
  reset(): void;
  close(): Promise<void>;
};

/** Starts the fake on 127.0.0.1. */
export async function startFakeLangfuse(options: FakeLangfuseOptions = {}): Promise<FakeLangfuse> {
  const state: State = {
    options,
    version: options.version ?? "4.16.0",
    projects: [],
    stores: new Map(),
    requests: [],
    behaviour: {},
  };
  const control = makeControl(state);
  for (const project of options.projects ?? []) control.addProject(project);
  const server = await startFakeServer(async (request, response) => {
    const body = await readBody(request);
    response.on("error", () => undefined);
    if (request.url?.startsWith("/__fake/")) {
      return answerControl(control, { request, response, text: body.toString("utf8") });
    }
    await answerApi(state, { request, response, body });
  }, options.port);
  return {
    ...server,
    requests: state.requests,
    project(id) {
      const store = state.stores.get(id);
      if (!store) throw new Error(`The fake has no project "${id}".`);
      return {
        spans: [...store.spans.values()],
        traces: entitiesOf(store, "trace"),
        observations: entitiesOf(store, "observation"),
        requests: control.countRequests(id).requests,
      };
    },
    addProject: control.addProject,
    setBehaviour: control.setBehaviour,
    reset: control.reset,
  };
}

function makeControl(state: State) {
  return {
    stores: state.stores,
    countRequests(projectId: string) {
      const own = state.requests.filter((request) => request.projectId === projectId);
      return { requests: own.length, mismatches: own.filter((request) => request.publicKeyMismatch).length };
    },
    addProject(project: FakeProject) {
      state.projects.push(project);
      state.stores.set(project.id, makeStore());
    },
    setBehaviour(behaviour: FakeBehaviour) {
      state.behaviour = { ...behaviour };
    },
    reset() {
      state.requests.length = 0;
      for (const id of state.stores.keys()) state.stores.set(id, makeStore());
    },
  };
}

type Exchange = { request: IncomingMessage; response: ServerResponse; body: Buffer };

async function answerApi(state: State, exchange: Exchange): Promise<void> {
  const { request, response, body } = exchange;
  const keys = { projects: state.projects, organizationKeys: state.options.organizationKeys ?? [] };
  const scope = findScope(request.headers.authorization, keys);
  const entry = makeEntry(exchange, scope);
  state.requests.push(entry);
  const behaviour = takeBehaviour(state, entry.projectId);
  if (behaviour.latencyMs !== undefined) await sleep(behaviour.latencyMs);
  if (behaviour.hang) return;
  if (behaviour.down) return void response.destroy();
  const answer = behaviour.status === undefined ? answerAs(state, { entry, scope, body }) : fixedAnswer(behaviour);
  if (behaviour.loseAnswer) return void response.destroy();
  entry.status = answer.status;
  if (typeof answer.body === "string") {
    const headers = { "content-type": "text/html", ...behaviour.headers };
    return sendText(response, { status: answer.status, body: answer.body, headers });
  }
  sendJson(response, { ...answer, headers: behaviour.headers });
}

function fixedAnswer({ status = 200, body }: FakeBehaviour): Answer {
  return { status, body: body ?? { message: `The fake was told to answer ${String(status)}.` } };
}

function takeBehaviour(state: State, projectId: string | null): FakeBehaviour {
  const { behaviour } = state;
  if (behaviour.projectId !== undefined && behaviour.projectId !== projectId) return {};
  if (behaviour.times === undefined) return behaviour;
  if (behaviour.times <= 0) return {};
  behaviour.times -= 1;
  return behaviour;
}

function makeEntry({ request, body }: Exchange, scope: LangfuseScope | string): FakeLangfuseRequest {
  const project = typeof scope === "string" || scope.access === "organization" ? null : scope;
  return {
    method: request.method ?? "",
    path: request.url ?? "",
    headers: request.headers,
    bodyBytes: body.length,
    text: "",
    status: 0,
    projectId: project?.project.id ?? null,
    publicKeyMismatch: project?.publicKeyMismatch ?? false,
    problem: null,
  };
}

const cliProject = {
  id: "project-1",
  name: "Project 1",
  publicKey: "pk-lf-project-1",
  secretKey: "sk-lf-project-1",
};

if (import.meta.main) await runFakeCli((port) => startFakeLangfuse({ port, projects: [cliProject] }));
