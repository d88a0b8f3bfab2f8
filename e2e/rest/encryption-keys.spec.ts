import { randomBytes } from "node:crypto";
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { readSigned } from "#lib/sign.ts";
import { startFakeLangfuse } from "../fakes/langfuse.ts";
import { expect, fakeModelConfig, test as base, type Fakes } from "../fixtures.ts";
import { makeDatabase, type SluiceOptions, type SluiceProcess } from "../sluice-process.ts";
import { runReseal } from "../run-reseal.ts";
import { ask, makeTeam } from "../replicas/gateways.ts";
import { admin, makeKey, makeProject, mustAdmin, until } from "./admin.ts";

/** Where a gateway's data is, so that other gateways and `npm run reseal` can go on with it. */
type Place = {
  dataDir: string;
  databaseUrl: string | null;
  start(keys: string, options?: SluiceOptions): Promise<SluiceProcess>;
  reseal(keys: string, ...args: string[]): Promise<{ code: number | null; text: string }>;
};

/** Playwright's `test` with a place: on PostgreSQL if there is one, else on the embedded database. */
const test = base.extend<{ place: Place }>({
  place: async ({ startSluice, fakes }, use) => {
    const folder = await mkdtemp(join(tmpdir(), "sluice-keys-"));
    const dataDir = join(folder, "data");
    const database = await makeDatabase(process.env.DATABASE_URL);
    const databaseUrl = database?.url ?? null;
    const started: SluiceProcess[] = [];
    await use({
      dataDir,
      databaseUrl,
      async start(keys, options = {}) {
        const sluice = await startSluice(makeOptions({ keys, dataDir, databaseUrl, fakes }, options));
        started.push(sluice);
        return sluice;
      },
      reseal: (keys, ...args) => runReseal({ keys, dataDir, databaseUrl, masterKey }, args),
    });
    // Before the drop: PostgreSQL waits for ever for connections that are made to a database while it goes.
    for (const sluice of started) await sluice.dispose();
    await database?.drop();
    await rm(folder, { recursive: true, force: true });
  },
});

// A test starts a gateway up to a dozen times.
test.slow();

const masterKey = "sk-master-key-of-the-key-tests";

function makeOptions(
  place: { keys: string; dataDir: string; databaseUrl: string | null; fakes: Fakes },
  options: SluiceOptions,
): SluiceOptions {
  const { keys, dataDir, databaseUrl, fakes } = place;
  return {
    config: fakeModelConfig(fakes),
    dataDir,
    ...(databaseUrl === null ? {} : { databaseUrl }),
    ...options,
    env: { SLUICE_MASTER_KEY: masterKey, SLUICE_ENCRYPTION_KEY: keys, ...options.env },
  };
}

function newKey(): string {
  return randomBytes(24).toString("base64url");
}

/** A team that logs to a project of its own, and what arrived there. */
async function makeLoggingTeam(sluice: SluiceProcess) {
  const project = makeProject(`keys-${randomBytes(4).toString("hex")}`);
  const langfuse = await startFakeLangfuse({ projects: [project] });
  const { teamId, key } = await makeTeam(sluice, { url: langfuse.url, project });
  return { teamId, key, langfuse, count: () => langfuse.project(project.id).spans.length };
}

async function readDetails(sluice: SluiceProcess) {
  const details = await mustAdmin(sluice, "/health/readiness/details");
  return Encryption.parse(details.encryption);
}

async function readMetrics(sluice: SluiceProcess): Promise<string> {
  const answer = await fetch(`${sluice.url}/metrics`, { headers: { authorization: `Bearer ${masterKey}` } });
  return answer.text();
}

const Encryption = z.object({
  key_ids: z.array(z.string()),
  unopened: z.array(z.object({ kind: z.string(), key_id: z.string(), reason: z.string(), count: z.number() })),
});
const Keys = z.object({
  keys: z.array(
    z.object({
      kty: z.literal("OKP"),
      crv: z.literal("Ed25519"),
      x: z.string(),
      kid: z.string(),
      use: z.literal("sig"),
      alg: z.literal("EdDSA"),
    }),
  ),
});

test("another encryption key is refused from the second start on, and the right one goes on as before", async ({
  place,
}) => {
  const [right, wrong] = [newKey(), newKey()];
  const sluice = await place.start(right);
  const refused = /Sluice cannot start:\nSLUICE_ENCRYPTION_KEY opens nothing of what is stored.*[0-9a-f]{8}.*Fix:/;
  await expect(sluice.restart({ SLUICE_ENCRYPTION_KEY: wrong })).rejects.toThrow(refused);
  await sluice.restart({ SLUICE_ENCRYPTION_KEY: right });
  const team = await makeLoggingTeam(sluice);
  await ask(sluice, team.key, "ping");
  await until("the project has it", () => team.count() === 1);
  await expect(sluice.restart({ SLUICE_ENCRYPTION_KEY: wrong })).rejects.toThrow(refused);
  expect(sluice.logs()).not.toContain(wrong);
  await sluice.restart({ SLUICE_ENCRYPTION_KEY: right });
  await ask(sluice, team.key, "ping");
  await until("the project has both", () => team.count() === 2);
  await team.langfuse.close();
});

test("a key that is too short, or missing in a list, stops the start by its name", async ({ place }) => {
  for (const keys of ["short", `${newKey()},`, `,${newKey()}`, ","]) {
    await expect(place.start(keys)).rejects.toThrow(/SLUICE_ENCRYPTION_KEY has a key that is too short/);
  }
});

test("a key file that is missing, empty, blank, cut, another or unreadable stops the start by its name", async ({
  place,
  startSluice,
}) => {
  const env = { SLUICE_ENCRYPTION_KEY: "", SLUICE_MASTER_KEY: masterKey };
  const sluice = await startSluice({ isEmbedded: true, dataDir: place.dataDir, env });
  const file = join(place.dataDir, "encryption-key");
  const kept = readFileSync(file, "utf8");
  const faults: [content: string, fault: RegExp][] = [
    ["", /The key file .*encryption-key is empty/],
    [" \n\t\n", /The key file .*encryption-key is empty/],
    ["\0".repeat(kept.length), /The key file .*encryption-key holds zero bytes/],
    [kept.slice(0, 8), /The key file .*encryption-key holds fewer than 16 characters/],
    [kept.slice(0, 20), /The key file .*encryption-key opens nothing of what is stored/],
    [newKey(), /The key file .*encryption-key opens nothing of what is stored/],
  ];
  for (const [content, fault] of faults) {
    writeFileSync(file, content);
    await expect(sluice.restart()).rejects.toThrow(fault);
    expect(readFileSync(file, "utf8")).toBe(content);
  }
  rmSync(file);
  await expect(sluice.restart()).rejects.toThrow(/The key file .*encryption-key is missing.*restore the file/);
  expect(existsSync(file)).toBe(false);
  mkdirSync(file);
  await expect(sluice.restart()).rejects.toThrow(/The key file .*encryption-key cannot be read \(EISDIR\)/);
  rmSync(file, { recursive: true });
  writeFileSync(file, kept);
  chmodSync(file, 0o644);
  await sluice.restart();
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(sluice.logs()).toContain("others could read this key file");
});

test("an empty master key file stops the start, so that nobody gets in with an empty key", async ({
  place,
  startSluice,
}) => {
  const env = { SLUICE_MASTER_KEY: "" };
  const sluice = await startSluice({ isEmbedded: true, dataDir: place.dataDir, env });
  writeFileSync(join(place.dataDir, "master-key"), "\n");
  await expect(sluice.restart()).rejects.toThrow(/The key file .*master-key is empty/);
});

test("a rotation keeps secrets, waiting records, sessions' keys and signed statements, and ends with one key", async ({
  place,
}) => {
  const [old, fresh] = [newKey(), newKey()];
  const first = await place.start(old);
  const team = await makeLoggingTeam(first);
  const disabled = await makeLoggingTeam(first);
  await mustAdmin(first, `/team/${disabled.teamId}/disable_logging`, {});
  const statement = await mustAdmin(first, `/team/${disabled.teamId}/disable_logging/statement`);
  await team.langfuse.close();
  await ask(first, team.key, "waits");
  await first.stop();

  const both = await place.start(`${fresh},${old}`);
  await ask(both, team.key, "waits, too");
  await both.stop();
  const resealed = await place.reseal(`${fresh},${old}`);
  expect(resealed.text).toMatch(
    /secrets of callbacks: 2 under the newest key \(moved there now: 2 from [0-9a-f]{8}\), 0 not opened/,
  );
  expect(resealed).toMatchObject({ code: 0 });
  expect(resealed.text).not.toContain(old);
  const again = await place.reseal(fresh);
  expect(again.text).toMatch(/secrets of callbacks: 2 under the newest key \(moved there now: none\), 0 not opened/);
  expect(again.code).toBe(0);

  const last = await place.start(fresh);
  expect((await readDetails(last)).unopened).toEqual([]);
  const counts = await admin(last, `/v1/deliveries?team_id=${team.teamId}`);
  expect(JSON.stringify(counts.body)).not.toContain("cannot be opened");
  const { keys } = Keys.parse(await mustAdmin(last, "/v1/logging/statement_keys"));
  expect(keys.length).toBe(2);
  expect(readSigned(String(statement.jws), keys)).toEqual(statement.statement);
  const newer = await mustAdmin(last, `/team/${disabled.teamId}/disable_logging/statement`);
  expect(readSigned(String(newer.jws), keys.slice(0, 1))).toEqual(newer.statement);
  expect(readSigned(String(newer.jws), keys.slice(1))).toBeNull();
  await last.stop();
  await expect(place.start(old)).rejects.toThrow(/SLUICE_ENCRYPTION_KEY opens nothing of what is stored/);
  await last.restart();
  expect(Keys.parse(await mustAdmin(last, "/v1/logging/statement_keys"))).toEqual({ keys });
  await disabled.langfuse.close();
});

test("a rotation with nothing stored ends with the new key, and reseal never accepts it unproved", async ({
  place,
}) => {
  const [old, fresh] = [newKey(), newKey()];
  const first = await place.start(old);
  const { key_ids: oldIds } = await readDetails(first);
  await first.stop();
  const unproved = await place.reseal(fresh);
  expect(unproved).toMatchObject({ code: 1, text: expect.stringContaining("--lost " + String(oldIds[0])) });
  expect(unproved.text).not.toContain("Nothing is left");
  expect(await place.reseal(`${fresh},${old}`)).toMatchObject({ code: 0 });
  await (await place.start(fresh)).stop();
  expect(await place.reseal(fresh)).toMatchObject({ code: 0 });
  await expect(place.start(old)).rejects.toThrow(/SLUICE_ENCRYPTION_KEY opens nothing of what is stored/);
  const misused = await place.reseal(fresh, "--help");
  expect(misused.text).toContain("Use: npm run reseal");
  expect(misused.text).not.toContain("    at ");
});

test("a former key that is dropped before its secrets are moved is missed loudly, and nothing is lost", async ({
  place,
}) => {
  const [old, fresh] = [newKey(), newKey()];
  const first = await place.start(old);
  const before = await makeLoggingTeam(first);
  await first.stop();
  await expect(place.start(fresh)).rejects.toThrow(/opens nothing of what is stored.*secrets of callbacks/);
  const both = await place.start(`${fresh},${old}`);
  await expect(both.restart({ SLUICE_ENCRYPTION_KEY: fresh })).rejects.toThrow(/opens nothing of what is stored/);
  await both.restart({ SLUICE_ENCRYPTION_KEY: `${fresh},${old}` });
  const after = await makeLoggingTeam(both);
  await both.restart({ SLUICE_ENCRYPTION_KEY: fresh });

  const { key_ids: keyIds, unopened } = await readDetails(both);
  expect(unopened).toEqual([
    { kind: "callback_secret", key_id: expect.not.stringMatching(keyIds[0] ?? ""), reason: "missing_key", count: 2 },
  ]);
  expect(both.logs()).toContain("no configured encryption key opens 2 secrets of callbacks");
  expect(await readMetrics(both)).toMatch(/sluice_unopened_values\{kind="callback_secret",key_id="[0-9a-f]{8}".*\} 2/);
  await ask(both, after.key, "ping");
  await until("the other project has it", () => after.count() === 1);
  await both.stop();
  const resealed = await place.reseal(fresh);
  expect(resealed.code).toBe(1);
  expect(resealed.text).toMatch(/callback [0-9a-f-]+, langfuse_secret_key: key [0-9a-f]{8} \(needs this key\)/);

  await both.restart({ SLUICE_ENCRYPTION_KEY: `${fresh},${old}` });
  await ask(both, before.key, "ping");
  await until("the first project has it", () => before.count() === 1);
  expect((await readDetails(both)).unopened).toEqual([]);
  await Promise.all([before.langfuse.close(), after.langfuse.close()]);
});

test("records of a foreign queue file become dead letters that log and metrics name, and arrive with its key", async ({
  place,
  startSluice,
  fakes,
}) => {
  const [foreign, own] = [newKey(), newKey()];
  const project = makeProject("queue-file");
  const langfuse = await startFakeLangfuse({ projects: [project] });
  const config = { ...fakeModelConfig(fakes), litellm_settings: { success_callback: ["langfuse"] } };
  const env = {
    SLUICE_MASTER_KEY: masterKey,
    LANGFUSE_PUBLIC_KEY: project.publicKey,
    LANGFUSE_SECRET_KEY: project.secretKey,
    LANGFUSE_HOST: langfuse.url,
  };
  langfuse.setBehaviour({ status: 500 });
  const foreigner = await startSluice({ isEmbedded: true, config, env: { ...env, SLUICE_ENCRYPTION_KEY: foreign } });
  await ask(foreigner, await makeKey(foreigner, {}), "of the foreign file");
  await foreigner.stop();

  // A fresh database, and nothing that the key opens: the file is what says that it is the wrong one.
  const queue = join(place.dataDir, "queue");
  cpSync(join(foreigner.dataDir, "queue"), queue, { recursive: true });
  await expect(place.start(own, { config, env })).rejects.toThrow(/opens nothing of what.*1 records in the queue file/);

  rmSync(queue, { recursive: true });
  const sluice = await place.start(own, { config, env });
  await sluice.stop();
  rmSync(queue, { recursive: true });
  cpSync(join(foreigner.dataDir, "queue"), queue, { recursive: true });
  await sluice.restart();
  await until("the record is dead", async () =>
    (await readMetrics(sluice)).includes('sluice_unopened_contents{key_id="'),
  );
  expect(await readMetrics(sluice)).toMatch(/sluice_deliveries\{callback="langfuse",state="dead"\} 1/);
  expect(sluice.logs()).toMatch(/"recordId":"[0-9a-f-]{36}","keyId":"[0-9a-f]{8}".*cannot be opened/);

  langfuse.setBehaviour({});
  await sluice.restart({ SLUICE_ENCRYPTION_KEY: `${own},${foreign}` });
  await mustAdmin(sluice, "/v1/deliveries/replay", { all: true });
  await until("the project has it", () => langfuse.project(project.id).spans.length === 1);
  await langfuse.close();
});

test("a key that is lost for good is noted with reseal, and the gateway starts with another one", async ({ place }) => {
  const [lost, fresh] = [newKey(), newKey()];
  const first = await place.start(lost);
  const team = await makeLoggingTeam(first);
  const { key_ids: lostIds } = await readDetails(first);
  await first.stop();
  await expect(place.start(fresh)).rejects.toThrow(`npm run reseal -- --lost ${lostIds[0] ?? ""}`);
  const [lostId = ""] = lostIds;
  const noted = await place.reseal(fresh, "--lost", lostId);
  expect(noted).toMatchObject({ code: 0, text: expect.stringContaining("noted as lost") });
  const next = await place.start(fresh);
  expect((await ask(next, await makeKey(next, {}), "ping")).status).toBe(200);
  expect((await place.reseal(fresh, "--lost", "nothing")).code).toBe(1);
  await team.langfuse.close();
});

test("with the embedded database reseal refuses to run beside the gateway, and says so", async ({
  place,
  startSluice,
}) => {
  const key = newKey();
  const env = { SLUICE_MASTER_KEY: masterKey, SLUICE_ENCRYPTION_KEY: key };
  await startSluice({ isEmbedded: true, dataDir: place.dataDir, env });
  const refused = await runReseal({ keys: key, dataDir: place.dataDir, databaseUrl: null, masterKey }, []);
  expect(refused.code).toBe(1);
  expect(refused.text).toMatch(/Another Sluice server .* is running on the data directory .* Stop it/);
});

test("two master keys are valid while they are rotated, and only the new one afterwards", async ({ place }) => {
  const [old, fresh] = [`sk-old-${newKey()}`, `sk-new-${newKey()}`];
  const sluice = await place.start(newKey(), { env: { SLUICE_MASTER_KEY: old } });
  const status = async (key: string): Promise<number> => {
    const answer = await fetch(`${sluice.url}/key/list`, { headers: { authorization: `Bearer ${key}` } });
    await answer.text();
    return answer.status;
  };
  await sluice.restart({ SLUICE_MASTER_KEY: `${fresh},${old}` });
  expect([await status(old), await status(fresh), await status(`${fresh},${old}`)]).toEqual([200, 200, 401]);
  await sluice.restart({ SLUICE_MASTER_KEY: fresh });
  expect([await status(old), await status(fresh)]).toEqual([401, 200]);
  await expect(sluice.restart({ SLUICE_MASTER_KEY: `${fresh},${old},sk-third` })).rejects.toThrow(/too many keys/);
});
