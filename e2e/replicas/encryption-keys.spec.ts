import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startFakeLangfuse } from "../fakes/langfuse.ts";
import { langfuseVars, makeProject, mustAdmin, until } from "../rest/admin.ts";
import { runReseal } from "../run-reseal.ts";
import { readRows, runSql } from "../sluice-process.ts";
import { ask, expect, makeTeam, test } from "./gateways.ts";

const masterKey = "sk-master-key-of-the-key-tests";
const [old, fresh, other] = ["old-key-0123456789", "new-key-0123456789", "another-key-0123456789"];

const withKeys = (keys: string) => ({ env: { SLUICE_MASTER_KEY: masterKey, SLUICE_ENCRYPTION_KEY: keys } });

test("a second gateway with another encryption key is refused, also if both start on an empty database", async ({
  startGateways,
}) => {
  const both = await Promise.allSettled([old, other].map((key) => startGateways(1, withKeys(key))));
  expect(both.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
  const refused = both.find((one) => one.status === "rejected");
  expect(String(refused?.reason)).toMatch(/SLUICE_ENCRYPTION_KEY opens nothing of what is stored/);
});

test("an installation of an earlier version starts with its key, and with no other", async ({
  startGateways,
  databaseUrl,
}) => {
  const project = makeProject("earlier");
  const langfuse = await startFakeLangfuse({ projects: [project] });
  const [sluice] = await startGateways(1, withKeys(old));
  if (!sluice) throw new Error("A gateway was asked for.");
  const { key } = await makeTeam(sluice, { url: langfuse.url, project });
  await sluice.stop();
  await runSql(databaseUrl, 'DROP TABLE "EncryptionKey"');
  await runSql(databaseUrl, "DELETE FROM _prisma_migrations WHERE migration_name LIKE '%_encryption_keys'");
  await expect(startGateways(1, withKeys(other))).rejects.toThrow(/opens nothing of what is stored.*secrets of/);
  expect(await readRows(databaseUrl, 'SELECT id FROM "EncryptionKey"')).toEqual([]);
  await sluice.restart();
  await ask(sluice, key, "ping");
  await until("the project has it", () => langfuse.project("earlier").spans.length === 1);
  expect(await readRows(databaseUrl, 'SELECT 1 FROM "EncryptionKey" WHERE sentinel IS NOT NULL')).toHaveLength(1);
  await langfuse.close();
});

test("reseal moves all beside two gateways under load, and overwrites no write of a callback", async ({
  startGateways,
  databaseUrl,
}) => {
  const project = makeProject("resealed");
  const langfuse = await startFakeLangfuse({ projects: [project] });
  langfuse.setBehaviour({ status: 500 });
  const [before] = await startGateways(1, withKeys(old));
  if (!before) throw new Error("A gateway was asked for.");
  const { key } = await makeTeam(before, { url: langfuse.url, project });
  for (let call = 0; call < 5; call += 1) await ask(before, key, `before ${String(call)}`);
  await before.stop();

  const [one, second] = await startGateways(2, withKeys(`${fresh},${old}`));
  if (!one || !second) throw new Error("Two gateways were asked for.");
  let isDone = false;
  let written = 0;
  const write = async (): Promise<void> => {
    while (!isDone) {
      const logging = [{ callback_name: "langfuse", callback_vars: langfuseVars(langfuse.url, project) }];
      await mustAdmin(one, "/key/update", { key, metadata: { logging } });
      await mustAdmin(one, "/key/update", { key, metadata: {} });
      await ask(second, key, `beside ${String(written)}`);
      written += 1;
    }
  };
  const writing = write();
  const dataDir = mkdtempSync(join(tmpdir(), "sluice-reseal-"));
  const resealed = await runReseal({ keys: `${fresh},${old}`, dataDir, databaseUrl, masterKey }, []);
  isDone = true;
  await writing;
  expect(resealed).toMatchObject({ code: 0, text: expect.stringMatching(/queued records in the database: .* 0 not/) });
  expect(resealed.text).toMatch(/secrets of callbacks: .*moved there now: 2 from/);
  expect(written).toBeGreaterThan(0);

  await one.stop();
  await second.stop();
  const [last] = await startGateways(1, withKeys(fresh));
  if (!last) throw new Error("A gateway was asked for.");
  langfuse.setBehaviour({});
  await mustAdmin(last, "/v1/deliveries/replay", { all: true });
  await until(
    "everything arrived",
    () => new Set(langfuse.project("resealed").spans.map(({ traceId }) => traceId)).size === 5 + written,
  );
  const details = await mustAdmin(last, "/health/readiness/details");
  expect(details.encryption).toMatchObject({ unopened: [] });
  await langfuse.close();
  rmSync(dataDir, { recursive: true });
});
