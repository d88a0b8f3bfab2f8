import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type Db, openDatabase } from "#lib/db.ts";

/**
 * How much there shall be. `team-0` exists and gets 60 of the keys, whatever the amounts. The deliveries are of
 * `loggingTeams` teams in turn, and `team-0` has one every hundred seconds, the newest just now.
 */
export type Amounts = { teams: number; keys: number; deliveries: number; loggingTeams: number };

/** Where a stopped gateway keeps what it has: its data directory, and its database where that is not in there. */
export type FilledGateway = { dataDir: string; databaseUrl: string | null };

const ownKeys = 60;
const usageDays = 30;
const ownStepMs = 100_000;

/** Fills a stopped gateway that has `team-0`, past all use cases: quickly, and without secrets. */
export async function fillDataDir({ dataDir, databaseUrl }: FilledGateway, amounts: Amounts): Promise<void> {
  const { db, close } = await openDatabase({ url: databaseUrl, dataDir: join(dataDir, "postgres") });
  try {
    await fillPeople(db, amounts);
    await fillUsage(db, amounts);
    if (databaseUrl !== null) await fillSharedQueue(db, amounts);
    await db.$executeRaw`ANALYZE`;
  } finally {
    await close();
  }
  if (databaseUrl === null) fillLocalQueue(join(dataDir, "queue", "records.sqlite"), amounts);
}

async function fillPeople(db: Db, { teams, keys }: Amounts): Promise<void> {
  await db.$executeRaw`
    INSERT INTO "Team" (id, alias, "updatedAt")
    SELECT 'team-' || n, 'Team ' || n, now() FROM generate_series(1, ${teams - 1}::int) n`;
  await db.$executeRaw`
    INSERT INTO "User" (id, email, "updatedAt")
    SELECT 'user-' || n, 'user-' || n || '@example.com', now() FROM generate_series(1, ${ownKeys + teams * 3}::int) n`;
  await db.$executeRaw`
    INSERT INTO "TeamMember" ("teamId", "userId", "userEmail")
    SELECT 'team-' || n % ${teams}::int, 'user-' || n, 'user-' || n || '@example.com'
    FROM generate_series(1, ${teams * 3}::int) n WHERE n % ${teams}::int <> 0`;
  await db.$executeRaw`
    INSERT INTO "TeamMember" ("teamId", "userId", "userEmail")
    SELECT 'team-0', 'user-' || n, 'user-' || n || '@example.com'
    FROM generate_series(${teams * 3 + 1}::int, ${teams * 3 + 10}::int) n`;
  await db.$executeRaw`
    INSERT INTO "Key" (token, "keyName", alias, "teamId", "teamRowId", "updatedAt")
    SELECT encode(sha256(('key ' || n)::bytea), 'hex'), 'sk-...' || lpad(n::text, 4, '0'), 'key ' || lpad(n::text, 4, '0'),
      team, team, now()
    FROM (SELECT n, CASE WHEN n <= ${ownKeys} THEN 'team-0' ELSE 'team-' || 1 + n % greatest(${teams - 1}::int, 1) END AS team
      FROM generate_series(1, ${keys}::int) n) numbered`;
  await db.$executeRaw`
    INSERT INTO "Callback" (id, "teamId", position, "callbackName", "callbackVars", "updatedAt")
    SELECT id || '-callback-' || n, id, n, 'webhook', '{"webhook_url": "http://127.0.0.1:9/logs"}', now()
    FROM "Team", generate_series(0, 1) n`;
  await db.$executeRaw`
    INSERT INTO "AuditEntry" (id, "createdAt", actor, action, "objectType", "objectId", after)
    SELECT 'audit-' || n, now() - interval '1 minute' * n, 'user-1', 'updated', 'team',
      'team-' || CASE WHEN n <= ${ownKeys} THEN 0 ELSE n % ${teams}::int END, '{"redaction": "content"}'
    FROM generate_series(1, ${ownKeys + teams * 100}::int) n`;
}

/** Every key was used on each of the days. */
async function fillUsage(db: Db, { keys }: Amounts): Promise<void> {
  await db.$executeRaw`
    INSERT INTO "UsageDay" (day, "teamId", "keyToken", model, calls, failures, "promptTokens", "completionTokens", usd)
    SELECT current_date - d, "teamId", token, 'gpt-4o', 100, 1, 10000, 2000, 1.5
    FROM (SELECT token, "teamId" FROM "Key" WHERE "teamId" LIKE 'team-%' LIMIT ${keys}::int) named,
      generate_series(0, ${usageDays - 1}::int) d`;
}

/** Of twenty deliveries of a team one is dead, one waits for tomorrow, and the others are delivered. */
function fillLocalQueue(path: string, { deliveries, loggingTeams }: Amounts): void {
  const file = new DatabaseSync(path);
  try {
    file.exec("BEGIN");
    const addCallback = file.prepare("INSERT INTO callback (number, callback_id) VALUES (?, ?)");
    for (let team = 0; team < loggingTeams; team += 1) addCallback.run(team + 1, `team-${team}-callback-0`);
    file
      .prepare(
        `WITH RECURSIVE given AS (SELECT CAST(:teams AS INTEGER) AS teams, CAST(:now AS INTEGER) AS now),
        numbered (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbered WHERE n < :deliveries),
        placed AS (SELECT n, n % teams AS team, CASE n / teams % 20 WHEN 7 THEN 2 WHEN 13 THEN 0 ELSE 1 END AS state, now,
          now - CAST((:deliveries - n) * :step AS INTEGER) AS at FROM numbered, given)
        INSERT INTO delivery (id, record_id, callback, state, due_at_ms, tries, created_at_ms, settled_at_ms, status, team_id, message)
        SELECT n, 'record-' || (CAST(:deliveries AS INTEGER) - n), team + 1, state, now + 86400000, 1, at,
          CASE state WHEN 0 THEN NULL ELSE at + 40 END, CASE state WHEN 2 THEN 400 ELSE 200 END, 'team-' || team,
          CASE state WHEN 2 THEN 'metadata.customer: must be a string' END FROM placed`,
      )
      .run({ deliveries, teams: loggingTeams, now: Date.now(), step: ownStepMs / loggingTeams });
    file.exec(`
      UPDATE callback SET (pending, delivered, dead) = (SELECT coalesce(sum(state = 0), 0), coalesce(sum(state = 1), 0),
        coalesce(sum(state = 2), 0) FROM delivery WHERE delivery.callback = callback.number);
      INSERT OR IGNORE INTO team_range (team_id, range) SELECT DISTINCT team_id, id / 4096 FROM delivery;
      COMMIT;`);
  } finally {
    file.close();
  }
}

async function fillSharedQueue(db: Db, { deliveries, loggingTeams }: Amounts): Promise<void> {
  const stepMs = ownStepMs / loggingTeams;
  await db.$executeRaw`
    INSERT INTO queue_delivery (record_id, callback_id, state, due_at_ms, tries, created_at_ms, age_from_ms, settled_at_ms,
      status, team_id, message, bytes)
    SELECT 'record-' || (${deliveries}::int - n), 'team-' || team || '-callback-0', state, ${Date.now()}::bigint + 86400000, 1,
      at, at, CASE state WHEN 0 THEN NULL ELSE at + 40 END, CASE state WHEN 2 THEN 400 ELSE 200 END, 'team-' || team,
      CASE state WHEN 2 THEN 'metadata.customer: must be a string' END, 0
    FROM (SELECT n, n % ${loggingTeams}::int AS team,
        CASE n / ${loggingTeams}::int % 20 WHEN 7 THEN 2 WHEN 13 THEN 0 ELSE 1 END AS state,
        ${Date.now()}::bigint - (${deliveries}::int - n) * ${stepMs}::bigint AS at
      FROM generate_series(1, ${deliveries}::int) n) placed`;
  await db.$executeRaw`
    INSERT INTO queue_count (callback_id, slot, pending, delivered, dead)
    SELECT callback_id, 0, count(*) FILTER (WHERE state = 0), count(*) FILTER (WHERE state = 1),
      count(*) FILTER (WHERE state = 2)
    FROM queue_delivery GROUP BY callback_id`;
}
