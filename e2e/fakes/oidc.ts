import { createHash, createSign, generateKeyPairSync, type KeyObject, randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { readBody, sendJson, startFakeServer } from "./fake-server.ts";

/**
 * A stand-in for an OpenID Connect provider with one client: discovery, an authorization endpoint at which everybody is
 * whom the test says, a token endpoint that checks client, code, address and PKCE, and the keys of its statements.
 */
export type FakeOidc = {
  /** The issuer. */
  url: string;
  clientId: string;
  clientSecret: string;
  /** Who signs in from now on, and how the provider misbehaves. */
  person: FakePerson;
  /** What arrived at the authorization endpoint. */
  requests: URLSearchParams[];
  close(): Promise<void>;
};

/** A person's claims, and what is wrong with the statement about him. */
export type FakePerson = {
  claims: Record<string, unknown>;
  /** Another state than the request's goes back with the code. */
  state?: string;
  /** Signs with a key that the provider does not publish. */
  isForged?: boolean;
};

type Grant = { query: URLSearchParams; person: FakePerson };

const clientId = "sluice";
const clientSecret = "secret-of-the-only-client";

/** Starts one on 127.0.0.1. */
export async function startFakeOidc(): Promise<FakeOidc> {
  const keys = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const others = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const grants = new Map<string, Grant>();
  const state: { person: FakePerson; requests: URLSearchParams[] } = { person: { claims: {} }, requests: [] };

  function authorize(query: URLSearchParams, response: ServerResponse): void {
    state.requests.push(query);
    const fault = faultOfRequest(query);
    if (fault !== null) return sendJson(response, { status: 400, body: { error: "invalid_request", fault } });
    const code = randomBytes(16).toString("hex");
    grants.set(code, { query, person: state.person });
    const target = new URL(query.get("redirect_uri") ?? "");
    target.searchParams.set("code", code);
    target.searchParams.set("state", state.person.state ?? query.get("state") ?? "");
    response.writeHead(302, { location: target.href }).end();
  }

  async function giveToken(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const form = new URLSearchParams((await readBody(request)).toString("utf8"));
    const code = form.get("code") ?? "";
    const grant = grants.get(code);
    grants.delete(code);
    const fault = faultOfExchange(request, form, grant);
    if (fault !== null || grant === undefined) {
      return sendJson(response, { status: 400, body: { error: "invalid_grant", error_description: fault } });
    }
    const nowSeconds = Math.floor(Date.now() / 1000);
    const times = { iat: nowSeconds, exp: nowSeconds + 300 };
    const standard = { iss: server.url, aud: clientId, nonce: grant.query.get("nonce"), ...times };
    const key = grant.person.isForged === true ? others.privateKey : keys.privateKey;
    const idToken = signJwt({ ...standard, ...grant.person.claims }, key);
    const body = {
      access_token: randomBytes(16).toString("hex"),
      token_type: "Bearer",
      expires_in: 300,
      id_token: idToken,
    };
    sendJson(response, { status: 200, body });
  }

  const server = await startFakeServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://fake");
    switch (pathname) {
      case "/.well-known/openid-configuration":
        return sendJson(response, { status: 200, body: describe(server.url) });
      case "/jwks":
        return sendJson(response, { status: 200, body: { keys: [publicKey(keys.publicKey)] } });
      case "/authorize":
        return authorize(searchParams, response);
      case "/token":
        return giveToken(request, response);
      default:
        sendJson(response, { status: 404, body: { error: "not_found" } });
    }
  });
  return Object.assign(state, { url: server.url, clientId, clientSecret, close: server.close });
}

function faultOfRequest(query: URLSearchParams): string | null {
  if (query.get("response_type") !== "code") return "response_type must be code";
  if (query.get("client_id") !== clientId) return "unknown client";
  if (!(query.get("scope") ?? "").split(" ").includes("openid")) return "scope must have openid";
  if (query.get("code_challenge_method") !== "S256" || !query.get("code_challenge")) return "PKCE is missing";
  return query.get("state") && query.get("nonce") ? null : "state or nonce is missing";
}

function faultOfExchange(request: IncomingMessage, form: URLSearchParams, grant: Grant | undefined): string | null {
  const basic = `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString("base64")}`;
  if (request.headers.authorization !== basic) return "wrong client secret";
  if (form.get("grant_type") !== "authorization_code" || grant === undefined) return "unknown code";
  if (form.get("redirect_uri") !== grant.query.get("redirect_uri")) return "another redirect_uri";
  const challenge = createHash("sha256")
    .update(form.get("code_verifier") ?? "")
    .digest("base64url");
  return challenge === grant.query.get("code_challenge") ? null : "wrong code_verifier";
}

function describe(url: string): Record<string, unknown> {
  return {
    issuer: url,
    authorization_endpoint: `${url}/authorize`,
    token_endpoint: `${url}/token`,
    jwks_uri: `${url}/jwks`,
    response_types_supported: ["code"],
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: ["RS256"],
  };
}

function publicKey(key: KeyObject): Record<string, unknown> {
  return { ...key.export({ format: "jwk" }), kid: "1", use: "sig", alg: "RS256" };
}

function signJwt(claims: Record<string, unknown>, key: KeyObject): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const text = `${part({ alg: "RS256", kid: "1", typ: "JWT" })}.${part(claims)}`;
  return `${text}.${createSign("sha256").update(text).sign(key).toString("base64url")}`;
}
