import { hash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { giveToken, makeAccount, makeTokenAnswer, type FakeAccount } from "#testing/google-accounts.ts";
import { readBody, runFakeCli, sendJson, sendText, startFakeServer } from "./fake-server.ts";
import { crc32c, readUpload } from "./gcs-upload.ts";

/**
 * A stand-in for Google Cloud Storage's JSON API with a token endpoint and a metadata server: media and multipart
 * uploads with `ifGenerationMatch`, objects and their content, lists by prefix, tests of permissions. It refuses what
 * the real one refuses and remembers everything that arrived. Resumable uploads are not understood (400).
 */

/** An object as it is stored. */
export type FakeObject = {
  name: string;
  contentType: string;
  metadata: Record<string, string>;
  content: Buffer;
  generation: number;
};

/** A bucket, and who may do what in it. Absent permissions: all. */
export type FakeBucket = { name: string; members: readonly string[]; permissions?: readonly string[] };

/** One request that arrived. `email` is the account whose token it showed. */
export type FakeGcsRequest = { method: string; path: string; email: string | null; status: number | null };

/** How the API misbehaves. What is absent is normal. */
export type FakeGcsBehaviour = {
  /** Only requests whose method and path this matches, such as `POST /upload/`. */
  only?: RegExp;
  /** Only for so many requests, then normal again. */
  times?: number;
  /** This is answered, and nothing is stored. */
  status?: number;
  headers?: Record<string, string>;
  body?: unknown;
  /** There is no answer. */
  hang?: boolean;
  /** The connection is destroyed before an answer. */
  down?: boolean;
  /** The request is handled, but the connection is destroyed instead of an answer. */
  loseAnswer?: boolean;
  latencyMs?: number;
};

/** The running fake. */
export type FakeGcs = {
  port: number;
  url: string;
  /** Where accounts of this fake ask for tokens. */
  tokenUri: string;
  requests: FakeGcsRequest[];
  /** Makes an account and a bucket that it may use; `permissions` restrict it. */
  addTenant(bucket: string, permissions?: readonly string[]): FakeAccount;
  /** The objects of a bucket by name; throws where there is no such bucket. */
  objects(bucket: string): FakeObject[];
  /** Stores an object behind everybody's back. */
  put(bucket: string, object: Partial<FakeObject> & { name: string }): void;
  /** Makes every token that was given worthless. */
  revokeTokens(): void;
  setBehaviour(behaviour: FakeGcsBehaviour): void;
  close(): Promise<void>;
};

type State = {
  url: string;
  accounts: FakeAccount[];
  buckets: Map<string, FakeBucket & { objects: Map<string, FakeObject> }>;
  tokens: Map<string, string>;
  requests: FakeGcsRequest[];
  behaviour: FakeGcsBehaviour;
  generation: number;
};

type Answer = { status: number; body: unknown };
type Exchange = { request: IncomingMessage; response: ServerResponse; body: Buffer; url: URL };

/** The account of the machine, whose tokens the metadata server gives. */
export const machineEmail = "machine@fake-project.iam.gserviceaccount.com";

/** Starts the fake on 127.0.0.1. */
export async function startFakeGcs(port = 0): Promise<FakeGcs> {
  const state: State = {
    url: "",
    accounts: [],
    buckets: new Map(),
    tokens: new Map(),
    requests: [],
    behaviour: {},
    generation: 0,
  };
  const server = await startFakeServer(async (request, response) => {
    const body = await readBody(request);
    response.on("error", () => undefined);
    await answer(state, { request, response, body, url: new URL(request.url ?? "/", "http://fake") });
  }, port);
  state.url = server.url;
  return { ...server, tokenUri: `${server.url}/token`, requests: state.requests, ...makeControls(state) };
}

function makeControls(state: State) {
  const objectsOf = (bucket: string): Map<string, FakeObject> => {
    const found = state.buckets.get(bucket);
    if (!found) throw new Error(`The fake has no bucket "${bucket}".`);
    return found.objects;
  };
  return {
    addTenant(bucket: string, permissions?: readonly string[]) {
      const account = makeAccount(`${bucket}@fake-project.iam.gserviceaccount.com`, `${state.url}/token`);
      state.accounts.push(account);
      const members = [account.email, machineEmail];
      state.buckets.set(bucket, {
        name: bucket,
        members,
        objects: new Map(),
        ...(permissions === undefined ? {} : { permissions }),
      });
      return account;
    },
    objects: (bucket: string) => [...objectsOf(bucket).values()],
    put(bucket: string, object: Partial<FakeObject> & { name: string }) {
      state.generation += 1;
      const empty = { contentType: "text/plain", metadata: {}, content: Buffer.alloc(0), generation: state.generation };
      objectsOf(bucket).set(object.name, { ...empty, ...object });
    },
    revokeTokens() {
      state.tokens.clear();
    },
    setBehaviour(behaviour: FakeGcsBehaviour) {
      state.behaviour = { ...behaviour };
    },
  };
}

async function answer(state: State, exchange: Exchange): Promise<void> {
  const { request, response, url } = exchange;
  const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1];
  const email = token === undefined ? null : (state.tokens.get(token) ?? null);
  const entry: FakeGcsRequest = { method: request.method ?? "", path: url.pathname + url.search, email, status: null };
  state.requests.push(entry);
  const behaviour = takeBehaviour(state, `${entry.method} ${entry.path}`);
  if (behaviour.latencyMs !== undefined) await sleep(behaviour.latencyMs);
  if (behaviour.hang) return;
  if (behaviour.down) return void response.destroy();
  const answered = behaviour.status === undefined ? answerApi(state, exchange, email) : toFixedAnswer(behaviour);
  if (behaviour.loseAnswer) return void response.destroy();
  entry.status = answered.status;
  if (Buffer.isBuffer(answered.body)) {
    response.writeHead(answered.status, { "content-length": answered.body.length }).end(answered.body);
  } else if (typeof answered.body === "string") {
    sendText(response, { status: answered.status, body: answered.body, headers: behaviour.headers });
  } else sendJson(response, { ...answered, headers: { "metadata-flavor": "Google", ...behaviour.headers } });
}

function answerApi(state: State, exchange: Exchange, email: string | null): Answer {
  const { request, url, body } = exchange;
  const route = `${request.method ?? ""} ${url.pathname}`;
  if (route === "POST /token") {
    const audience = `${state.url}/token`;
    const given = giveToken(new URLSearchParams(body.toString("utf8")), { accounts: state.accounts, audience });
    if (given.email !== null) state.tokens.set(String(given.answer.body["access_token"]), given.email);
    return given.answer;
  }
  if (url.pathname.startsWith("/computeMetadata/v1/")) return answerMetadata(state, exchange);
  const match = /^(GET|POST) (\/upload)?\/storage\/v1\/b\/([^/]+)\/(o|iam\/testPermissions)(?:\/([^/]+))?$/.exec(route);
  const [, method, upload, bucketName = "", kind, encodedName] = match ?? [];
  if (!match) return { status: 404, body: "Not Found" };
  if (email === null) return refuse(401, "Invalid Credentials", "authError");
  const bucket = state.buckets.get(decodeURIComponent(bucketName));
  if (!bucket) return refuse(404, "The specified bucket does not exist.", "notFound");
  const may = (permission: string): boolean =>
    bucket.members.includes(email) && (bucket.permissions?.includes(permission) ?? true);
  if (kind === "iam/testPermissions") {
    const permissions = url.searchParams.getAll("permissions").filter(may);
    return { status: 200, body: { kind: "storage#testIamPermissionsResponse", permissions } };
  }
  const permission =
    method === "POST" ? "storage.objects.create" : encodedName ? "storage.objects.get" : "storage.objects.list";
  if (!may(permission)) {
    const message = `${email} does not have ${permission} access to the Google Cloud Storage object.`;
    return refuse(403, `${message} Permission '${permission}' denied on resource (or it may not exist).`, "forbidden");
  }
  if (method === "POST") return upload ? store(state, bucket, exchange) : { status: 404, body: "Not Found" };
  if (encodedName === undefined) return list(bucket, url);
  const object = bucket.objects.get(decodeURIComponent(encodedName));
  if (!object) return refuse(404, `No such object: ${bucket.name}/${decodeURIComponent(encodedName)}`, "notFound");
  return url.searchParams.get("alt") === "media"
    ? { status: 200, body: object.content }
    : { status: 200, body: toResource(bucket.name, object) };
}

function store(state: State, bucket: { name: string; objects: Map<string, FakeObject> }, exchange: Exchange): Answer {
  const upload = readUpload(exchange.request, exchange.url, exchange.body);
  if (typeof upload === "string") return refuse(400, upload, "invalid");
  const expected = exchange.url.searchParams.get("ifGenerationMatch");
  if (expected !== null && Number(expected) !== (bucket.objects.get(upload.name)?.generation ?? 0)) {
    return refuse(412, "At least one of the pre-conditions you specified did not hold.", "conditionNotMet");
  }
  state.generation += 1;
  const object = { ...upload, generation: state.generation };
  bucket.objects.set(upload.name, object);
  return { status: 200, body: toResource(bucket.name, object) };
}

function list(bucket: { name: string; objects: Map<string, FakeObject> }, url: URL): Answer {
  const prefix = url.searchParams.get("prefix") ?? "";
  const found = [...bucket.objects.values()].filter(({ name }) => name.startsWith(prefix));
  return { status: 200, body: { kind: "storage#objects", items: found.map((each) => toResource(bucket.name, each)) } };
}

function answerMetadata(state: State, { request, url }: Exchange): Answer {
  if (request.headers["metadata-flavor"] !== "Google") return { status: 403, body: "Missing Metadata-Flavor header" };
  if (!url.pathname.endsWith("/service-accounts/default/token")) return { status: 404, body: "Not Found" };
  const given = makeTokenAnswer();
  state.tokens.set(String(given.body["access_token"]), machineEmail);
  return given;
}

function toResource(bucket: string, { name, contentType, metadata, content, generation }: FakeObject): object {
  const hashes = { md5Hash: hash("md5", content, "base64"), crc32c: crc32c(content) };
  const sized = { size: String(content.length), generation: String(generation), ...hashes };
  return {
    kind: "storage#object",
    id: `${bucket}/${name}/${generation}`,
    name,
    bucket,
    contentType,
    metadata,
    ...sized,
  };
}

function refuse(status: number, message: string, reason: string): Answer {
  return { status, body: { error: { code: status, message, errors: [{ message, domain: "global", reason }] } } };
}

function toFixedAnswer({ status = 200, body }: FakeGcsBehaviour): Answer {
  return body === undefined ? refuse(status, `The fake was told to answer ${status}.`, "told") : { status, body };
}

function takeBehaviour(state: State, route: string): FakeGcsBehaviour {
  const { behaviour } = state;
  if (behaviour.only?.test(route) === false) return {};
  if (behaviour.times === undefined) return behaviour;
  if (behaviour.times <= 0) return {};
  behaviour.times -= 1;
  return behaviour;
}

if (import.meta.main) await runFakeCli((port) => startFakeGcs(port));
