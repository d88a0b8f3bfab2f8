import { Storage } from "@google-cloud/storage";
import { createPrivateKey, sign } from "node:crypto";
import { afterEach, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { makeAccount, type FakeAccount } from "#testing/google-accounts.ts";
import { startFakeGcs, type FakeGcs } from "./gcs.ts";

const AccountFile = z.object({ client_email: z.string(), private_key: z.string() });
const TokenAnswer = z.looseObject({ access_token: z.string().optional(), error_description: z.string().optional() });

/** The client's types for what comes in and what goes out of an interceptor differ in nothing but `undefined`. */
const Decorated = z.custom<ReturnType<Storage["interceptors"][number]["request"]>>();

let fake: FakeGcs;
let account: FakeAccount;

beforeEach(async () => {
  fake = await startFakeGcs();
  account = fake.addTenant("team-logs");
});

afterEach(() => fake.close());

/** Asks for a token with a statement of our own; `changes` replace claims. */
async function askForToken(file: string, changes: Record<string, unknown> = {}) {
  const { client_email, private_key } = AccountFile.parse(JSON.parse(file));
  const iat = Math.floor(Date.now() / 1000);
  const scope = "https://www.googleapis.com/auth/devstorage.read_write";
  const claims = { iss: client_email, scope, aud: fake.tokenUri, iat, exp: iat + 3600, ...changes };
  const text = [{ alg: "RS256" }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
    .join(".");
  const signature = sign("sha256", Buffer.from(text), createPrivateKey(private_key)).toString("base64url");
  const body = new URLSearchParams({
    grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer",
    assertion: `${text}.${signature}`,
  });
  const response = await fetch(fake.tokenUri, { method: "POST", body });
  return { status: response.status, ...TokenAnswer.parse(await response.json()) };
}

async function makeClient(): Promise<Storage> {
  const { access_token: token } = await askForToken(account.json);
  const storage = new Storage({ projectId: "p", apiEndpoint: fake.url, retryOptions: { autoRetry: false } });
  storage.interceptors.push({
    request: (options) =>
      Decorated.parse({ ...options, headers: { ...options.headers, Authorization: `Bearer ${String(token)}` } }),
  });
  return storage;
}

test("Google's own client stores, reads back and lists objects", async () => {
  const bucket = (await makeClient()).bucket("team-logs");
  const file = bucket.file("a folder/ünicode & more.json");
  const options = { resumable: false, preconditionOpts: { ifGenerationMatch: 0 } };
  await file.save('{"a":1}', { ...options, contentType: "application/json", metadata: { metadata: { team: "one" } } });
  expect((await file.download())[0].toString()).toBe('{"a":1}');
  const [metadata] = await file.getMetadata();
  expect(metadata).toMatchObject({ contentType: "application/json", metadata: { team: "one" } });
  const [files] = await bucket.getFiles({ prefix: "a folder/" });
  expect(files.map(({ name }) => name)).toEqual(["a folder/ünicode & more.json"]);
  expect((await bucket.getFiles({ prefix: "b" }))[0]).toEqual([]);
});

test("an object is created once where the generation must be 0", async () => {
  const file = (await makeClient()).bucket("team-logs").file("once");
  const options = { resumable: false, preconditionOpts: { ifGenerationMatch: 0 } };
  await file.save("first", options);
  await expect(file.save("second", options)).rejects.toMatchObject({ code: 412 });
  expect(fake.objects("team-logs").map(({ content }) => content.toString())).toEqual(["first"]);
});

test("a bucket belongs to its account", async () => {
  fake.addTenant("other-logs");
  const storage = await makeClient();
  const save = (bucket: string) => storage.bucket(bucket).file("x").save("x", { resumable: false });
  await expect(save("other-logs")).rejects.toMatchObject({ code: 403 });
  await expect(save("no-logs")).rejects.toMatchObject({ code: 404 });
  const permissions = ["storage.objects.create", "storage.objects.get"];
  const [own] = await storage.bucket("team-logs").iam.testPermissions(permissions);
  expect(own).toEqual({ "storage.objects.create": true, "storage.objects.get": true });
  const [foreign] = await storage.bucket("other-logs").iam.testPermissions(permissions);
  expect(foreign).toEqual({ "storage.objects.create": false, "storage.objects.get": false });
});

test("a token needs a statement that the account signed, for this endpoint and for storage", async () => {
  const impostor = makeAccount(account.email, fake.tokenUri);
  expect(await askForToken(impostor.json)).toMatchObject({ status: 400, error_description: "Invalid JWT Signature." });
  const nobody = makeAccount("nobody@example.com", fake.tokenUri);
  const unknown = "Invalid grant: account not found";
  expect(await askForToken(nobody.json)).toMatchObject({ status: 400, error_description: unknown });
  expect(await askForToken(account.json, { aud: "https://elsewhere.example.com" })).toMatchObject({ status: 400 });
  expect(await askForToken(account.json, { scope: "https://www.googleapis.com/auth/drive" })).toMatchObject({
    status: 400,
  });
  expect(await askForToken(account.json, { exp: 1 })).toMatchObject({ status: 400 });
  expect(await askForToken(account.json)).toMatchObject({ status: 200 });
});

test("a wrong token opens nothing, and one that was revoked no more", async () => {
  const path = "/storage/v1/b/team-logs/o";
  const ask = (token: string) => fetch(fake.url + path, { headers: { authorization: `Bearer ${token}` } });
  expect((await ask("made-up")).status).toBe(401);
  const { access_token: token = "" } = await askForToken(account.json);
  expect((await ask(token)).status).toBe(200);
  fake.revokeTokens();
  expect((await ask(token)).status).toBe(401);
});

test("misbehaves as told, for as many requests as told", async () => {
  fake.setBehaviour({ only: /^GET \/storage/, status: 503, times: 1, headers: { "retry-after": "7" } });
  const { access_token: token = "" } = await askForToken(account.json);
  const ask = () => fetch(`${fake.url}/storage/v1/b/team-logs/o`, { headers: { authorization: `Bearer ${token}` } });
  const first = await ask();
  expect([first.status, first.headers.get("retry-after")]).toEqual([503, "7"]);
  expect((await ask()).status).toBe(200);
});
