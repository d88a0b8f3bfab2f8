import { sign, type KeyObject } from "node:crypto";
import { promisify } from "node:util";
import { LRUCache } from "lru-cache";
import { z } from "zod";
import { UpstreamError } from "#lib/errors.ts";
import { fetchUpstream, readText } from "#lib/fetch-upstream.ts";
import type { ServiceAccount } from "#lib/google-account.ts";
import { readJson } from "#lib/read-json.ts";
import { boundWaitMs, toRetryAfterMs } from "#lib/retry-after.ts";

/** What a token is for, and whether the account is the operator's. */
export type TokenRequest = { scope: string; reach: "operator" | "guarded"; signal?: AbortSignal | undefined };

const tokenSeconds = 3600;
/** A token is not used in its last minutes, so that none runs out on its way. */
const marginSeconds = 300;
const answerBytesMax = 64 * 1024;

const signText = promisify((text: string, key: KeyObject, done: (error: Error | null, signature: Buffer) => void) => {
  sign("sha256", Buffer.from(text), key, done);
});

const TokenAnswer = z.object({ access_token: z.string().min(1), expires_in: z.number().default(tokenSeconds) });
const TokenRefusal = z.object({ error: z.string(), error_description: z.string().optional() });

/** Tokens by all that they were given for. Bounded: where more accounts are in use, a call asks for its own. */
const tokens = new LRUCache<string, string>({ max: 1000 });

/** The token source of this machine's own credentials, loaded when first needed because the SDK is large. */
const machine: { source: Promise<{ getAccessToken(): Promise<string | null | undefined> }> | null } = { source: null };

/**
 * The access token of a service account, kept until shortly before it ends. Throws `UpstreamError` where Google gives
 * none. `refused` is one that does not work any more.
 */
export async function findGoogleToken(
  account: ServiceAccount,
  request: TokenRequest,
  refused: string | null = null,
): Promise<string> {
  const cacheKey = `${request.reach} ${request.scope} ${account.fingerprint}`;
  const known = tokens.get(cacheKey);
  if (known !== undefined && known !== refused) return known;
  tokens.delete(cacheKey);
  const answer = await requestToken(account, request);
  const keptMs = boundWaitMs((answer.expires_in - marginSeconds) * 1000);
  if (keptMs > 0) tokens.set(cacheKey, answer.access_token, { ttl: keptMs });
  return answer.access_token;
}

/**
 * The token of this machine's own credentials, for all of the cloud: the environment's file, gcloud's, the metadata
 * server. It is kept and renewed by the SDK. Null where there are none; throws the signal's reason.
 */
export async function findMachineToken(signal?: AbortSignal): Promise<string | null> {
  const stopped = Promise.withResolvers<never>();
  const onAbort = (): void => {
    stopped.reject(signal?.reason);
  };
  signal?.throwIfAborted();
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    machine.source ??= import("@google-cloud/storage").then(({ Storage }) => new Storage().authClient);
    const token = await Promise.race([stopped.promise, machine.source.then((source) => source.getAccessToken())]);
    return typeof token === "string" && token !== "" ? token : null;
  } catch {
    signal?.throwIfAborted();
    return null;
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
}

/** Google's exchange of a signed statement for a token (RFC 7523). */
async function requestToken(
  account: ServiceAccount,
  { scope, reach, signal }: TokenRequest,
): Promise<z.output<typeof TokenAnswer>> {
  const assertion = await signStatement(account, scope, Math.floor(Date.now() / 1000));
  const form = new URLSearchParams({ grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer", assertion });
  const response = await fetchUpstream(account.tokenUri, {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: form.toString(),
    reach,
    signal,
    headersTimeoutMs: 10_000,
    totalTimeoutMs: 20_000,
  });
  const text = await readText(response, answerBytesMax);
  const answer = parseJson(text);
  const token = TokenAnswer.safeParse(answer);
  if (response.status === 200 && token.success) return token.data;
  const wait = toRetryAfterMs(response.headers["retry-after"]);
  const refusal = TokenRefusal.safeParse(answer);
  const words = refusal.success ? (refusal.data.error_description ?? refusal.data.error).slice(0, 300) : "no token";
  const isPassing = response.status === 429 || response.status === 408 || response.status >= 500;
  throw new UpstreamError(
    response.status,
    `Google gave no token for the service account (${String(response.status)}): ${words.replaceAll(assertion, "***")}`,
    { ...(isPassing ? {} : { fault: "destination" }), ...(wait === null ? {} : { retryAfterMs: wait }) },
  );
}

async function signStatement(account: ServiceAccount, scope: string, nowSeconds: number): Promise<string> {
  const header = { alg: "RS256", typ: "JWT", ...(account.keyId === null ? {} : { kid: account.keyId }) };
  const claims = {
    iss: account.email,
    scope,
    aud: account.tokenUri,
    iat: nowSeconds,
    exp: nowSeconds + tokenSeconds,
  };
  const text = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
  return `${text}.${(await signText(text, account.key)).toString("base64url")}`;
}

function parseJson(text: string): unknown {
  try {
    return readJson(text);
  } catch {
    return null;
  }
}
