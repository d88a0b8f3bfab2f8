import { afterAll, beforeAll, expect, test } from "vitest";
import { listExpiringKeys } from "#keys/list-expiring-keys.ts";
import { newRecordId } from "#lib/id.ts";
import { startApp, type TestApp } from "#testing/app.ts";
import { makeKey, makeTeam, masterActor } from "#testing/make.ts";

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.close());

test("lists a team's keys that end within a week, the next first, and neither ended nor lasting ones", async () => {
  const { team_id } = await makeTeam(app.db);
  const [soon, sooner] = [`soon-${newRecordId()}`, `sooner-${newRecordId()}`];
  await makeKey(app.db, { team_id, key_alias: soon, duration: "6d" });
  await makeKey(app.db, { team_id, key_alias: sooner, duration: "1h" });
  await makeKey(app.db, { team_id, duration: "30d" });
  await makeKey(app.db, { team_id });
  await makeKey(app.db, { duration: "1h" });
  const names = async (now: Date) =>
    (await listExpiringKeys(app.db, masterActor, { teamId: team_id, now })).map(({ name }) => name);
  expect(await names(new Date())).toEqual([sooner, soon]);
  expect(await names(new Date(Date.now() + 2 * 3_600_000))).toEqual([soon]);
});

test("who may not read a key does not learn of it", async () => {
  const { team_id: teamId } = await makeTeam(app.db);
  await makeKey(app.db, { team_id: teamId, duration: "1h" });
  const stranger = { ...masterActor, role: "internal_user", userId: newRecordId() } as const;
  expect(await listExpiringKeys(app.db, stranger, { teamId })).toEqual([]);
});
