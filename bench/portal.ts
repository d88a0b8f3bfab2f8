import { z } from "zod";
import { portalCookie } from "../e2e/portal-cookie.ts";
import { mustAdmin } from "../e2e/rest/admin.ts";
import { makeDatabase, startSluiceProcess, type SluiceProcess } from "../e2e/sluice-process.ts";
import { fillDataDir, type Amounts } from "./fill-data-dir.ts";

/**
 * `npm run bench:portal`: how long the portal's pages and reads take, and how many bytes they are, with 200 teams, 2,000
 * keys and a million deliveries, beside a gateway that has what fills one page of every list. Both are asked in turn, so
 * that whatever else the machine does falls on both; of each, the fastest answer counts. The measured team has the same keys, and as many deliveries in the
 * time that its pages show. Prints a Markdown table. With `DATABASE_URL` both are on that PostgreSQL, and so is the queue.
 */
const rounds = 20;
const answerTimeoutMs = 30_000;
const sign = { email: "ada@example.com", password: "a password of the measurement" };
const few: Amounts = { teams: 25, keys: 160, deliveries: 1_200, loggingTeams: 1 };
const many: Amounts = { teams: 200, keys: 2_000, deliveries: 1_000_000, loggingTeams: 200 };

type Measured = {
  sluice: SluiceProcess;
  cookie: string;
  paths: ReadonlyMap<string, string>;
  dispose: () => Promise<void>;
};
type Reading = { ms: number; bytes: number };

const Keys = z.object({
  result: z.object({ data: z.object({ keys: z.array(z.object({ token: z.string() })).min(1) }) }),
});

const small = await prepare(few);
const large = await prepare(many).catch(async (error: unknown) => {
  await small.dispose();
  throw error;
});
try {
  process.stdout.write("| read | ms, few | ms, many | ratio | bytes, few | bytes, many | ratio |\n");
  process.stdout.write("| --- | ---: | ---: | ---: | ---: | ---: | ---: |\n");
  for (const name of small.paths.keys()) process.stdout.write(await measure(name));
} finally {
  await Promise.all([small.dispose(), large.dispose()]);
}

async function prepare(amounts: Amounts): Promise<Measured> {
  const env = { SLUICE_ADMIN_EMAIL: sign.email, SLUICE_ADMIN_PASSWORD: sign.password, SLUICE_LOG_LEVEL: "warn" };
  const database = await makeDatabase(process.env["DATABASE_URL"]);
  const sluice = await startSluiceProcess({ env, ...(database === null ? {} : { databaseUrl: database.url }) });
  const dispose = async (): Promise<void> => {
    await sluice.dispose();
    await database?.drop();
  };
  try {
    await mustAdmin(sluice, "/team/new", { team_id: "team-0", team_alias: "Measured" });
    await sluice.stop();
    await fillDataDir({ dataDir: sluice.dataDir, databaseUrl: database?.url ?? null }, amounts);
    await sluice.restart();
    const cookie = await portalCookie(sluice.url, sign);
    return { sluice, cookie, paths: await pathsOf(sluice, cookie), dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** What is read, by name. The key is the newest of the team. */
async function pathsOf(sluice: SluiceProcess, cookie: string): Promise<ReadonlyMap<string, string>> {
  const teamId = "team-0";
  const trpc = (procedure: string, input: object): [string, string] => {
    const narrower = Object.entries(input).filter(([name]) => !["teamId", "key", "limit", "id"].includes(name));
    const words = narrower.map(([name, value]) => (name === "from" ? "of a day" : String(value)));
    const given = encodeURIComponent(JSON.stringify(input));
    return [[procedure, ...words].join(", "), `/api/trpc/${procedure}?input=${given}`];
  };
  const keyList = await fetch(sluice.url + trpc("keys.list", { teamId })[1], { headers: { cookie } });
  const key = Keys.parse(await keyList.json()).result.data.keys[0]?.token ?? "";
  const page = (path: string): [string, string] => [`page ${path}`, `/portal${path}`];
  const from = new Date(Date.now() - 24 * 3_600_000).toISOString();
  const callbackId = "team-0-callback-0";
  return new Map([
    ...["", "/destinations", "/deliveries", "/policy", "/keys", "/usage", "/members", "/audit"].map((part) =>
      page(`/teams/${teamId}${part}`),
    ),
    ...["/teams", "/usage", "/users", "/audit", "/settings"].map(page),
    ...["account.me", "account.sessions", "audit.all", "users.list", "destinations.list", "settings.get"].map((name) =>
      trpc(name, {}),
    ),
    trpc("teams.list", { limit: 15 }),
    trpc("teams.page", {}),
    ...["teams.get", "members.list", "callbacks.list", "policy.get", "keys.list", "keys.expiring"].map((name) =>
      trpc(name, { teamId }),
    ),
    ...["audit.ofTeam", "usage.ofTeam", "deliveries.counts", "deliveries.chart", "deliveries.list"].map((name) =>
      trpc(name, { teamId }),
    ),
    trpc("deliveries.chart", { teamId, callbackId }),
    trpc("deliveries.list", { teamId, callback_id: callbackId }),
    ...["dead", "delivered", "pending"].map((state) => trpc("deliveries.list", { teamId, state })),
    trpc("deliveries.list", { teamId, error_class: "refused_record" }),
    trpc("deliveries.list", { teamId, from }),
    trpc("deliveries.find", { teamId, id: "record-200" }),
    trpc("keys.get", { key }),
    trpc("keys.logging", { key }),
    trpc("usage.all", {}),
  ]);
}

async function measure(name: string): Promise<string> {
  const readings: Record<"small" | "large", Reading[]> = { small: [], large: [] };
  for (let round = -3; round < rounds; round += 1) {
    const order = round % 2 === 0 ? (["small", "large"] as const) : (["large", "small"] as const);
    for (const size of order) {
      const reading = await read({ small, large }[size], name);
      if (round >= 0) readings[size].push(reading);
    }
  }
  const [one, other] = [best(readings.small), best(readings.large)];
  const ratio = (first: number, second: number): string => (second / first).toFixed(2);
  const times = `${one.ms.toFixed(1)} | ${other.ms.toFixed(1)} | ${ratio(one.ms, other.ms)}`;
  return `| ${name} | ${times} | ${one.bytes} | ${other.bytes} | ${ratio(one.bytes, other.bytes)} |\n`;
}

async function read({ sluice, cookie, paths }: Measured, name: string): Promise<Reading> {
  const startedMs = performance.now();
  const answer = await fetch(sluice.url + (paths.get(name) ?? ""), {
    headers: { cookie },
    signal: AbortSignal.timeout(answerTimeoutMs),
  });
  const bytes = (await answer.arrayBuffer()).byteLength;
  if (answer.status !== 200) throw new Error(`${name} was answered ${answer.status}.`);
  return { ms: performance.now() - startedMs, bytes };
}

/** The time is the shortest one, which other programs disturbed least. */
function best(readings: readonly Reading[]): Reading {
  const bytes = readings.map((reading) => reading.bytes);
  return { ms: Math.min(...readings.map(({ ms }) => ms)), bytes: Math.max(...bytes) };
}
