import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { openChangeFeed, type Change, type ChangeFeed } from "#lib/change-feed.ts";
import { inTransaction } from "#lib/in-transaction.ts";
import { monotonicMs } from "#lib/monotonic.ts";
import { confirmEverywhere, leaseMs } from "#lib/replicas.ts";
import { openOwnDatabase, type OwnDatabase } from "#testing/own-database.ts";

let own: OwnDatabase;
const feeds: ChangeFeed[] = [];

beforeAll(async () => {
  own = await openOwnDatabase();
});

afterEach(async () => {
  for (const feed of feeds.splice(0)) await feed.stop();
});

afterAll(() => own.close());

/** A process that notes what it is told. */
async function startFollower(
  apply: (changes: readonly Change[] | "everything") => Promise<void> = () => Promise.resolve(),
) {
  const feed = await openChangeFeed({ connectionString: own.url });
  feeds.push(feed);
  const heard: (Change | "everything")[] = [];
  const leases: number[] = [];
  return {
    replicaId: feed.replicaId,
    heard,
    leases,
    ids: (subject: string) =>
      heard.flatMap((change) => (change !== "everything" && change.subject === subject ? [change.subjectId] : [])),
    follow: () => {
      feed.follow({
        async apply(changes) {
          await apply(changes);
          heard.push(...(changes === "everything" ? [changes] : changes));
        },
        onLease: (untilMs) => void leases.push(untilMs),
      });
    },
  };
}

async function makeTeam(id: string): Promise<void> {
  await own.db.team.create({ data: { id, models: [] } });
}

test("every write of teams, keys, callbacks, members and users is heard once, in the order of the commits", async () => {
  const follower = await startFollower();
  follower.follow();
  await makeTeam("order-1");
  await own.db.key.create({
    data: { token: "order-key", keyName: "sk-...", models: [], allowedRoutes: [], teamRowId: "order-1" },
  });
  await own.db.callback.create({
    data: { id: "order-cb", keyToken: "order-key", position: 0, callbackName: "webhook" },
  });
  await own.db.user.create({ data: { id: "order-user" } });
  await own.db.teamMember.create({ data: { teamId: "order-1", userId: "order-member" } });
  await own.db.key.update({ where: { token: "order-key" }, data: { token: "order-key-2" } });
  await own.db.team.delete({ where: { id: "order-1" } });
  await confirmEverywhere(own.db);
  const words = follower.heard.map((change) =>
    change === "everything" ? change : `${change.subject} ${change.subjectId}`,
  );
  expect(words.slice(0, 7)).toEqual([
    "team order-1",
    "key order-key",
    "callback order-cb",
    "key order-key",
    "user order-user",
    "team order-1",
    "user order-member",
  ]);
  // A new hash moves the callbacks with the key; deleting the team deletes all of it.
  expect(new Set(words.slice(7))).toEqual(
    new Set([
      ...["key order-key", "key order-key-2", "callback order-cb", "callback_deleted order-cb"],
      ...["team order-1", "team_disabled order-1", "user order-member"],
    ]),
  );
  const versions = follower.heard.map((change) => (change === "everything" ? 0n : change.version));
  expect(versions).toEqual([...new Set(versions)].toSorted((first, second) => Number(first - second)));
});

test("what was rolled back is not heard, and spending is no change", async () => {
  const follower = await startFollower();
  follower.follow();
  await makeTeam("spender");
  await inTransaction(own.db, async (tx) => {
    await tx.team.create({ data: { id: "rolled-back", models: [] } });
    throw new Error("stop");
  }).catch(() => undefined);
  await own.db.team.update({ where: { id: "spender" }, data: { spend: 5 } });
  await makeTeam("last");
  await confirmEverywhere(own.db);
  expect(follower.ids("team")).toEqual(["spender", "last"]);
});

test("a team that is disabled and enabled again within one look is heard as disabled", async () => {
  const follower = await startFollower();
  await makeTeam("twice");
  await own.db.team.update({ where: { id: "twice" }, data: { loggingState: "disabled" } });
  await own.db.team.update({ where: { id: "twice" }, data: { loggingState: "own" } });
  follower.follow();
  await confirmEverywhere(own.db);
  expect(follower.ids("team_disabled")).toEqual(["twice"]);
});

test("drops everything where old changes are gone, and follows from there", async () => {
  await makeTeam("before");
  const follower = await startFollower();
  await makeTeam("missed");
  await own.sql.query('DELETE FROM "PolicyChange" WHERE version < (SELECT max(version) FROM "PolicyChange")');
  follower.follow();
  await confirmEverywhere(own.db);
  await makeTeam("after");
  await confirmEverywhere(own.db);
  expect(follower.heard[0]).toBe("everything");
  expect(follower.ids("team")).toEqual(["after"]);
});

test("a confirmation waits until every live process has applied the change, and not for one that ended", async () => {
  let release = (): void => undefined;
  const blocked = new Promise<void>((resolve) => (release = resolve));
  const slow = await startFollower(() => blocked);
  const quick = await startFollower();
  slow.follow();
  quick.follow();
  await makeTeam("confirmed");
  const confirmed = confirmEverywhere(own.db);
  await expect.poll(() => quick.ids("team")).toEqual(["confirmed"]);
  expect(await Promise.race([confirmed, sleep(200, "waiting")])).toBe("waiting");
  await expect(confirmEverywhere(own.db, 100)).rejects.toThrow(slow.replicaId);
  release();
  const { confirmedIds, lapsedIds } = await confirmed;
  expect(new Set(confirmedIds)).toEqual(new Set([slow.replicaId, quick.replicaId]));
  expect(lapsedIds).toEqual([]);
  for (const feed of feeds.splice(0)) await feed.stop();
  expect(await confirmEverywhere(own.db)).toMatchObject({ confirmedIds: [], lapsedIds: [] });
});

test("a process that died is waited for until its lease ends", async () => {
  await makeTeam("lapsed");
  await own.sql.query(
    `INSERT INTO "Replica" (id, "heartbeatAt", "appliedVersion") VALUES ('dead', clock_timestamp(), 0)`,
  );
  const { lapsedIds } = await confirmEverywhere(own.db);
  expect(lapsedIds).toEqual(["dead"]);
  const { rows } = await own.sql.query<{ silent: boolean }>(
    `SELECT "heartbeatAt" <= clock_timestamp() - interval '${String(leaseMs)} milliseconds' AS silent FROM "Replica"`,
  );
  expect(rows).toEqual([{ silent: true }]);
});

test("a change that could not be applied is handed over again, and is not confirmed before", async () => {
  let isBroken = true;
  const follower = await startFollower(async () => {
    if (isBroken) throw new Error("not now");
  });
  follower.follow();
  await makeTeam("again");
  await expect(confirmEverywhere(own.db, 300)).rejects.toThrow(follower.replicaId);
  isBroken = false;
  await confirmEverywhere(own.db);
  expect(follower.ids("team")).toEqual(["again"]);
});

test("a process whose connection is cut comes back, with what it missed", async () => {
  const follower = await startFollower();
  follower.follow();
  await expect.poll(() => follower.leases.length).toBeGreaterThan(0);
  if (process.env.DATABASE_URL) {
    await own.sql.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE '%"PolicyChange"%'`,
    );
  }
  await makeTeam("after-the-cut");
  await confirmEverywhere(own.db);
  expect(follower.ids("team")).toEqual(["after-the-cut"]);
});

test("a lease reaches no further than its length, and never beyond the last heartbeat", async () => {
  const follower = await startFollower();
  follower.follow();
  await expect.poll(() => follower.leases.length, { timeout: 10_000 }).toBeGreaterThan(3);
  for (const untilMs of follower.leases) expect(untilMs).toBeLessThanOrEqual(monotonicMs() + leaseMs);
  expect(follower.leases).toEqual(follower.leases.toSorted((first, second) => first - second));
});
