import { setTimeout as sleep } from "node:timers/promises";
import { startPgbouncer } from "../../scripts/pgbouncer.mjs";
import { startFakeLangfuse } from "../fakes/langfuse.ts";
import { admin, makeKey, makeProject, mustAdmin, until } from "../rest/admin.ts";
import type { SluiceProcess } from "../sluice-process.ts";
import { runSql } from "../sluice-process.ts";
import { addLangfuse, ask, askStreamed, expect, makeTeam, test } from "./gateways.ts";

/** How soon a write on one gateway holds in every other. */
const effectiveMs = 1_000;

/** Waits until a key's call is answered like this; fails when that takes longer than a write may take to hold. */
async function untilStatus(sluice: SluiceProcess, key: string, status: number): Promise<void> {
  await until(
    `a call is answered with ${String(status)}`,
    async () => (await ask(sluice, key, "ping")).status === status,
    effectiveMs,
  );
}

/** What one gateway writes holds in the other: keys, teams, models. */
async function checkKeyWrites(one: SluiceProcess, other: SluiceProcess): Promise<void> {
  await mustAdmin(one, "/team/new", { team_id: "movers" });
  const key = await makeKey(one, { team_id: "movers" });
  expect((await ask(other, key, "ping")).status).toBe(200);

  await mustAdmin(one, "/key/block", { key });
  await untilStatus(other, key, 401);
  await mustAdmin(one, "/key/unblock", { key });
  await untilStatus(other, key, 200);

  await mustAdmin(one, "/key/update", { key, models: ["another-model"] });
  await until("the model is refused", async () => (await ask(other, key, "ping")).status !== 200, effectiveMs);
  await mustAdmin(one, "/key/update", { key, models: [] });
  await untilStatus(other, key, 200);

  await mustAdmin(one, "/team/block", { team_id: "movers" });
  await untilStatus(other, key, 401);
  await mustAdmin(one, "/team/unblock", { team_id: "movers" });
  await untilStatus(other, key, 200);

  const regenerated = await mustAdmin(one, `/key/regenerate`, { key });
  await untilStatus(other, key, 401);
  const newKey = String(regenerated.key);
  await untilStatus(other, newKey, 200);

  await mustAdmin(one, "/key/delete", { keys: [newKey] });
  await untilStatus(other, newKey, 401);
}

test("blocking, changing, regenerating and deleting a key holds in the other gateway within a second", async ({
  startGateways,
}) => {
  const [one, other] = await startGateways(2);
  if (!one || !other) throw new Error("Two gateways were asked for.");
  await checkKeyWrites(one, other);
});

test("a team's new project gets the other gateway's calls within a second, and the old one none of them", async ({
  startGateways,
}) => {
  const [before, after] = [makeProject("before"), makeProject("after")];
  const langfuse = await startFakeLangfuse({ projects: [before, after] });
  const [one, other] = await startGateways(2);
  if (!one || !other) throw new Error("Two gateways were asked for.");
  const { teamId, key } = await makeTeam(one, { url: langfuse.url, project: before });
  await ask(other, key, "to-the-old-one");
  await until("the old project has it", () => langfuse.project("before").spans.length === 1);

  const deleted = await fetch(`${one.url}/team/${teamId}/callback/langfuse`, {
    method: "DELETE",
    headers: { authorization: `Bearer ${one.masterKey}` },
  });
  expect(deleted.status).toBe(200);
  await addLangfuse(one, teamId, { url: langfuse.url, project: after });
  await sleep(effectiveMs);
  await ask(other, key, "to-the-new-one");
  await askStreamed(other, key, "to-the-new-one");
  await until("the new project has both", () => langfuse.project("after").spans.length === 2);
  expect(langfuse.project("before").spans).toHaveLength(1);

  await mustAdmin(one, "/team/update", { team_id: teamId, redaction: "content" });
  await sleep(effectiveMs);
  await ask(other, key, "a-secret-prompt");
  await until("the third has arrived", () => langfuse.project("after").spans.length === 3);
  expect(JSON.stringify(langfuse.project("after").spans.at(-1))).not.toContain("a-secret-prompt");
  await langfuse.close();
});

test("writes hold within a second again after a gateway's connections were cut", async ({
  startGateways,
  databaseUrl,
}) => {
  const named = (url: string, index: number): string => `${url}?application_name=gateway-${String(index)}`;
  const [one, other] = await startGateways(2, { urlOf: named });
  if (!one || !other) throw new Error("Two gateways were asked for.");
  const key = await makeKey(one, {});
  expect((await ask(other, key, "ping")).status).toBe(200);
  for (let round = 0; round < 3; round += 1) {
    await runSql(
      databaseUrl,
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'gateway-1'",
    );
    await mustAdmin(one, "/key/block", { key });
    await untilStatus(other, key, 401);
    await mustAdmin(one, "/key/unblock", { key });
    await untilStatus(other, key, 200);
  }
});

test("writes hold within a second, and a disable is confirmed, behind a transaction pooler", async ({
  startGateways,
  databaseUrl,
}) => {
  const pooler = await startPgbouncer(databaseUrl);
  try {
    const [one, other] = await startGateways(2, { urlOf: () => pooler.url });
    if (!one || !other) throw new Error("Two gateways were asked for.");
    await checkKeyWrites(one, other);
    const project = makeProject("pooled");
    const langfuse = await startFakeLangfuse({ projects: [project] });
    const { teamId, key } = await makeTeam(one, { url: langfuse.url, project });
    langfuse.setBehaviour({ status: 503 });
    expect((await ask(other, key, "before")).receipt).toContain("langfuse=queued");
    expect((await admin(one, `/team/${teamId}/disable_logging`, {})).status).toBe(200);
    expect((await ask(other, key, "after")).receipt).toBe("disabled");
    langfuse.setBehaviour({});
    await sleep(2_000);
    expect(langfuse.project("pooled").spans).toEqual([]);
    await langfuse.close();
  } finally {
    await pooler.stop();
  }
});
