import { createHash, generateKeyPairSync, randomBytes, verify } from "node:crypto";
import { isJsonObject } from "#logging/record.ts";

/** Service accounts, and the token endpoint's check of the statements that they sign (RFC 7523). */

/** A service account: its key file's content, which opens the buckets that it may use. */
export type FakeAccount = { email: string; publicKey: string; json: string };

/** What the token endpoint answers. */
export type TokenAnswer = { status: number; body: Record<string, unknown> };

const grantType = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const storageScopes = ["read_write", "full_control"].map(
  (name) => `https://www.googleapis.com/auth/devstorage.${name}`,
);
const cloudScope = "https://www.googleapis.com/auth/cloud-platform";

/** Makes an account with a new key; `tokenUri` is where its holder asks for tokens. */
export function makeAccount(email: string, tokenUri: string): FakeAccount {
  const pair = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  const file = {
    type: "service_account",
    project_id: "fake-project",
    private_key_id: createHash("sha1").update(pair.publicKey).digest("hex"),
    private_key: pair.privateKey,
    client_email: email,
    client_id: "1",
    token_uri: tokenUri,
  };
  return { email, publicKey: pair.publicKey, json: JSON.stringify(file) };
}

/** Answers a token request as Google does: a token, or why the statement is worth none. */
export function giveToken(
  form: URLSearchParams,
  { accounts, audience }: { accounts: readonly FakeAccount[]; audience: string },
): { answer: TokenAnswer; email: string | null } {
  const refuse = (error: string, description: string) => ({
    answer: { status: 400, body: { error, error_description: description } },
    email: null,
  });
  if (form.get("grant_type") !== grantType) return refuse("unsupported_grant_type", "Invalid grant_type");
  const [head = "", claims = "", signature = ""] = (form.get("assertion") ?? "").split(".");
  const header = decode(head);
  const statement = decode(claims);
  if (header?.["alg"] !== "RS256" || statement === null) return refuse("invalid_grant", "Invalid JWT");
  const account = accounts.find(({ email }) => email === statement["iss"]);
  if (!account) return refuse("invalid_grant", "Invalid grant: account not found");
  if (!verify("sha256", Buffer.from(`${head}.${claims}`), account.publicKey, Buffer.from(signature, "base64url"))) {
    return refuse("invalid_grant", "Invalid JWT Signature.");
  }
  if (statement["aud"] !== audience) return refuse("invalid_grant", "Invalid JWT: Failed audience check.");
  const [iat, exp, nowSeconds] = [Number(statement["iat"]), Number(statement["exp"]), Date.now() / 1000];
  if (!(iat <= nowSeconds + 60 && exp > nowSeconds && exp - iat <= 3600)) {
    return refuse("invalid_grant", "Invalid JWT: Token must be a short-lived token (60 minutes)");
  }
  const scopes = String(statement["scope"]).split(" ");
  if (!scopes.some((scope) => storageScopes.includes(scope) || scope === cloudScope)) {
    return refuse("invalid_scope", "Invalid OAuth scope or ID token audience provided.");
  }
  return { answer: makeTokenAnswer(), email: account.email };
}

/** A new token. */
export function makeTokenAnswer(): TokenAnswer {
  const token = `ya29.${randomBytes(24).toString("base64url")}`;
  return { status: 200, body: { access_token: token, expires_in: 3599, token_type: "Bearer" } };
}

function decode(part: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, "base64url").toString("utf8"));
    return isJsonObject(value) ? value : null;
  } catch {
    return null;
  }
}
