import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { PGlite } from "@electric-sql/pglite";
import { z } from "zod";
import { sha256Hex } from "#lib/id.ts";
import { admin } from "../rest/admin.ts";
import { readRows } from "../sluice-process.ts";
import { marksIn, readLocalFiles } from "./arrivals.ts";
import { ask } from "./ask.ts";
import { stop } from "./faults.ts";
import type { Ledger } from "./ledger.ts";
import { judgeRun, type Facts, type QueueRow } from "./verdict.ts";
import { globalDestination, type Gateway, type World } from "./world.ts";

/** Once the faults are over: lets everything drain, stops the gateways, and collects what each side knows. */

const drainMsMax = 120_000;
const spendMsMax = 30_000;

/** All facts of a run. It waits for conditions, each for a bounded time; what did not come is for the verdict. */
export async function collectFacts(world: World, ledger: Ledger): Promise<Facts> {
  const probes = await probeLimits(world, ledger);
  ledger.note("waiting until everything is delivered");
  await waitFor(drainMsMax, async () => {
    const [pending, arrivals] = [await countPending(world), await readArrivals(world)];
    const missing = judgeRun(toFacts(world, ledger, { arrivals })).filter(
      ({ promise }) => promise === "logged exactly once",
    );
    return pending === 0 && missing.length === 0;
  });
  ledger.note("waiting until everything is paid");
  let spends = await readSpends(world);
  await waitFor(spendMsMax, async () => {
    const [arrivals, reservations] = [await readArrivals(world), await readReservations(world, ledger)];
    spends = await readSpends(world);
    return judgeRun(toFacts(world, ledger, { arrivals, spends, reservations })).every(
      ({ promise }) => !promise.startsWith("spend") && promise !== "nothing is left in budgets",
    );
  });
  for (const gateway of world.gateways) await stop(ledger, gateway);
  return toFacts(world, ledger, {
    ...{ probes, spends, arrivals: await readArrivals(world), rows: await readQueueRows(world) },
    reservations: await readReservations(world, ledger),
    leaks: await findLeaks(world),
  });
}

async function waitFor(msMax: number, holds: () => Promise<boolean>): Promise<void> {
  const endMs = performance.now() + msMax;
  while (performance.now() < endMs && !(await holds())) await sleep(500);
}

function toFacts(world: World, ledger: Ledger, found: Partial<Facts>): Facts {
  const { calls, phases, processes, fullDisks } = ledger;
  const keys = world.keys.map(({ key, ...others }) => ({ ...others, hash: sha256Hex(key) }));
  const nothing = { arrivals: [], spends: [], reservations: [], probes: [], rows: [], leaks: [] };
  return { calls, phases, processes, fullDisks, keys, globalDestination, ...nothing, ...found };
}

async function readArrivals({ sinks, gateways }: World): Promise<Facts["arrivals"]> {
  const dataDirs = gateways.map(({ sluice }) => sluice.dataDir);
  const ofFiles = await readLocalFiles(globalDestination, dataDirs);
  return [...Object.values(sinks).flatMap((sink) => sink.arrivals()), ...ofFiles];
}

/** What waits in the queues, as the gateways' metrics say. */
async function countPending({ gateways }: World): Promise<number> {
  let pending = 0;
  for (const { sluice } of gateways) {
    const headers = { authorization: `Bearer ${sluice.masterKey}` };
    const response = await fetch(`${sluice.url}/metrics`, { headers });
    const counts = (await response.text()).matchAll(/^sluice_deliveries\{[^}]*state="pending"[^}]*\} (\d+)$/gm);
    for (const [, count] of counts) pending += Number(count);
  }
  return pending;
}

/** As many calls at once as each key may have, at each gateway, and one more. */
async function probeLimits({ gateways, keys }: World, ledger: Ledger): Promise<Facts["probes"]> {
  const limited = keys.flatMap(({ maxParallel, ...key }) => (maxParallel === null ? [] : [{ ...key, maxParallel }]));
  const probing = gateways.flatMap((gateway) =>
    limited.map(async ({ maxParallel: limit, ...key }) => {
      const start = () => probe(ledger, gateway, { ...key, apiKey: key.key });
      const asked = Array.from({ length: limit }, start);
      const statuses = await Promise.all(asked.map(({ started }) => started));
      const next = start();
      const isNextRefused = (await next.started) === 429;
      await Promise.all([...asked, next].map(({ ended }) => ended));
      const admitted = statuses.filter((status) => status === 200).length;
      return { key: key.name, gateway: gateway.index, limit, admitted, isNextRefused };
    }),
  );
  return Promise.all(probing);
}

function probe(ledger: Ledger, gateway: Gateway, key: { apiKey: string; name: string; team: string | null }) {
  return ask(ledger, {
    ...{ url: gateway.sluice.url, gateway: gateway.index, apiKey: key.apiKey, key: key.name, team: key.team },
    // It takes some seconds, so that all of them are under way at once.
    ...{ wire: "chat", isStreamed: true, order: "[[slow]]", words: "word ".repeat(12), manners: {} },
  });
}

const Spent = z.object({ spend: z.number() });

async function readSpends({ gateways, keys }: World): Promise<Facts["spends"]> {
  const sluice = gateways[0]?.sluice;
  if (sluice === undefined) return [];
  const unique = (names: readonly (string | null)[]) => [...new Set(names)].flatMap((name) => name ?? []);
  const asked = [
    ...keys.map(({ name, key }) => ({ scope: "key" as const, name, path: `/key/info?key=${key}`, field: "info" })),
    ...unique(keys.map(({ team }) => team)).map((name) => ({
      ...{ scope: "team" as const, name, path: `/team/info?team_id=${name}`, field: "team_info" },
    })),
    ...unique(keys.map(({ user }) => user)).map((name) => ({
      ...{ scope: "user" as const, name, path: `/user/info?user_id=${name}`, field: "user_info" },
    })),
  ];
  const spends: { scope: "key" | "team" | "user"; name: string; usd: number }[] = [];
  for (const { scope, name, path, field } of asked) {
    const { body } = await admin(sluice, path);
    spends.push({ scope, name, usd: Spent.parse(body[field]).spend });
  }
  return spends;
}

/** How long a reservation holds at most, from its making. */
const reservedMs = 15 * 60_000;
const Reservation = z.object({ id: z.string(), expires_ms: z.coerce.number() });

/** What is held back in budgets; nothing while an embedded database belongs to its gateway. */
async function readReservations(world: World, { nowMs }: Ledger): Promise<Facts["reservations"]> {
  const startedAtMs = Date.now() - nowMs();
  const sql = `SELECT id, extract(epoch FROM "expiresAt") * 1000 AS expires_ms FROM "SpendReservation"`;
  const rows = await query(world, sql);
  return z
    .array(Reservation)
    .parse(rows)
    .map(({ id, expires_ms }) => ({ recordId: id, sinceMs: expires_ms - reservedMs - startedAtMs }));
}

async function query({ databaseUrl, gateways }: World, sql: string): Promise<unknown[]> {
  if (databaseUrl !== null) return readRows(databaseUrl, sql);
  const sluice = gateways[0]?.sluice;
  if (sluice === undefined || sluice.ended() === null) return [];
  const database = await PGlite.create({ dataDir: join(sluice.dataDir, "postgres") });
  const { rows } = await database.query(sql);
  await database.close();
  return rows;
}

const Row = z.object({
  record_id: z.string(),
  call_id: z.string().nullable(),
  team_id: z.string().nullable(),
  state: z.coerce.number(),
});

/** The delivery rows of every queue, those in files and those in PostgreSQL. */
async function readQueueRows(world: World): Promise<QueueRow[]> {
  const rows: unknown[] = [];
  for (const { sluice } of world.gateways) {
    const path = join(sluice.dataDir, "queue", "records.sqlite");
    if (!existsSync(path)) continue;
    const file = new DatabaseSync(path, { readOnly: true });
    rows.push(...file.prepare("SELECT record_id, call_id, team_id, state FROM delivery").all());
    file.close();
  }
  if (world.databaseUrl !== null) {
    rows.push(...(await readRows(world.databaseUrl, "SELECT record_id, call_id, team_id, state FROM queue_delivery")));
  }
  return z
    .array(Row)
    .parse(rows)
    .map(({ record_id, call_id, team_id, state }) => ({
      ...{ recordId: record_id, callId: call_id ?? record_id, team: team_id, state },
    }));
}

/** Prompts and secrets in our own logs, and in any file but those that `local_files` is there to write. */
async function findLeaks({ gateways, secrets }: World): Promise<Facts["leaks"]> {
  const leaks: { where: string; what: string }[] = [];
  for (const gateway of gateways) {
    const name = `gateway ${String(gateway.index)}`;
    look(`the log of ${name}`, gateway.sluice.logs());
    const entries = await readdir(gateway.sluice.dataDir, { recursive: true, withFileTypes: true });
    for (const entry of entries) {
      if (!entry.isFile() || entry.parentPath === join(gateway.sluice.dataDir, "logs")) continue;
      const path = join(entry.parentPath, entry.name);
      look(`${path} of ${name}`, await readFile(path, "latin1"));
    }
  }
  return leaks;

  function look(where: string, text: string): void {
    const [mark] = marksIn(text);
    if (mark !== undefined) leaks.push({ where, what: `the prompt of ${mark}` });
    for (const secret of secrets) if (text.includes(secret)) leaks.push({ where, what: `${secret.slice(0, 8)}…` });
  }
}
