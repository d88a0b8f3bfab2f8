import { parseArgs } from "node:util";
import { collectFacts } from "./aftermath.ts";
import { runFaults } from "./faults.ts";
import { makeLedger, type Ledger } from "./ledger.ts";
import { makeRandom } from "./random.ts";
import { startTraffic } from "./traffic.ts";
import { judgeRun, type Facts, type Violation } from "./verdict.ts";
import { startWorld, teams, type DatabaseKind } from "./world.ts";

/**
 * The chaos run: gateways under mixed load, random faults from a seed, and then the question whether every promise held.
 * `node e2e/chaos/chaos.ts [--seconds 90] [--seed N] [--database embedded|postgres]`; both databases without the last.
 */

/** Of each promise. */
const violationsShown = 4;
/** How much of the timeline is shown around a violation. */
const [beforeMs, afterMs] = [10_000, 5_000];
/** A run with fewer answered calls a second proves nothing. */
const answeredPerSecondMin = 0.5;

type Run = { database: DatabaseKind; seed: number; seconds: number };

async function runChaos({ database, seed, seconds }: Run): Promise<boolean> {
  console.log(`\nchaos on ${database}: seed ${String(seed)}, ${String(seconds)} s`);
  const ledger = makeLedger((line) => console.log(line));
  const world = await startWorld(database, ledger);
  try {
    for (const [team, destination] of Object.entries(teams)) {
      ledger.phases.set(team, [{ destination, sentAtMs: 0, confirmedAtMs: 0 }]);
    }
    ledger.note("everything is started");
    const random = makeRandom(seed);
    const traffic = startTraffic(world, ledger, random.branch("traffic"));
    const endsAtMs = ledger.nowMs() + seconds * 1_000;
    try {
      await runFaults(world, ledger, { random: random.branch("faults"), endsAtMs });
    } finally {
      await traffic.stop();
    }
    const facts = await collectFacts(world, ledger);
    const violations = [...judgeRun(facts), ...judgeEffort(facts, seconds)];
    tell(facts, ledger, violations);
    if (violations.length > 0) {
      for (const { sluice } of world.gateways) tellErrors(sluice.logs());
      console.log(
        `again: node e2e/chaos/chaos.ts --database ${database} --seed ${String(seed)} --seconds ${String(seconds)}`,
      );
    }
    return violations.length === 0;
  } catch (error) {
    console.log(`chaos on ${database} with seed ${String(seed)} could not go on: ${String(error)}`);
    for (const { sluice } of world.gateways) console.log(`${sluice.url} printed last:\n${sluice.logs().slice(-3_000)}`);
    return false;
  } finally {
    await world.close();
  }
}

/** Prints the error lines of a gateway's own log, one of each kind. */
function tellErrors(logs: string): void {
  const lines = logs
    .split("\n")
    .filter((line) => /"level":(50|60|"error"|"fatal")/.test(line) || !/^(\{|$)/.test(line));
  const kinds = Map.groupBy(
    lines,
    (line) => /"error":"[^"\\]{0,120}|"msg":"[^"]*"/.exec(line)?.[0] ?? line.slice(0, 80),
  );
  for (const [, [line = ""]] of [...kinds].slice(0, 10)) console.log(`  its log: ${line.slice(0, 1_500)}`);
}

function judgeEffort({ calls }: Facts, seconds: number): Violation[] {
  const answered = calls.filter(({ outcome, status }) => outcome === "answered" && status === 200).length;
  if (answered >= seconds * answeredPerSecondMin) return [];
  const text = `only ${String(answered)} calls were answered in ${String(seconds)} s`;
  return [{ promise: "the run proves something", text, calls: [], atMs: null }];
}

function tell(facts: Facts, ledger: Ledger, violations: readonly Violation[]): void {
  const counts = (names: readonly string[]) =>
    [...Map.groupBy(names, (name) => name)].map(([name, all]) => `${String(all.length)} ${name}`).join(", ");
  console.log(`calls: ${counts(facts.calls.map(({ outcome, status }) => `${outcome} ${String(status)}`))}`);
  const errors = facts.calls
    .filter(({ status }) => status >= 500)
    .map(({ status, error }) => `${String(status)} ${error}`);
  console.log(`errors: ${counts(errors.map((text) => text.replaceAll(/[0-9a-f-]{20,}|mark-\S+/g, "…")))}`);
  console.log(`records: ${counts(facts.arrivals.map(({ destination }) => destination))}`);
  console.log(`processes: ${counts(facts.processes.map(({ event }) => event))}`);
  const phases = [...facts.phases].map(([team, all]) => `${team} ${String(all.length - 1)}`);
  console.log(`changes of logging: ${phases.join(", ")}`);
  console.log(
    violations.length === 0 ? "every promise held" : `VIOLATED: ${counts(violations.map((one) => one.promise))}`,
  );
  for (const [, all] of Map.groupBy(violations, ({ promise }) => promise)) {
    for (const violation of all.slice(0, violationsShown)) tellViolation(facts, ledger, violation);
  }
}

function tellViolation({ arrivals, rows }: Facts, ledger: Ledger, { promise, text, calls, atMs }: Violation): void {
  console.log(`\n- ${promise}: ${text}`);
  for (const call of calls) {
    console.log(`  the client: ${JSON.stringify(call)}`);
    for (const arrival of arrivals.filter(({ callId }) => callId === call.callId)) {
      console.log(`  ${arrival.destination}: ${JSON.stringify(arrival)}`);
    }
    for (const row of rows.filter(({ callId }) => callId === call.callId))
      console.log(`  the queue: ${JSON.stringify(row)}`);
  }
  if (atMs === null) return;
  const fromMs = (calls[0]?.startedAtMs ?? atMs) - beforeMs;
  for (const entry of ledger.timeline.filter((one) => one.atMs >= fromMs && one.atMs <= atMs + afterMs)) {
    console.log(`  ${(entry.atMs / 1_000).toFixed(1).padStart(7)} s  ${entry.text}`);
  }
}

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "90" },
    seed: { type: "string", default: String(Math.floor(Math.random() * 4_294_967_296)) },
    database: { type: "string" },
  },
});
const databases: readonly DatabaseKind[] =
  values.database === undefined ? ["embedded", "postgres"] : [values.database === "postgres" ? "postgres" : "embedded"];
const results: boolean[] = [];
for (const database of databases) {
  results.push(await runChaos({ database, seed: Number(values.seed), seconds: Number(values.seconds) }));
}
process.exit(results.every(Boolean) ? 0 : 1);
