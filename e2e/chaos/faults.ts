import { setTimeout as sleep } from "node:timers/promises";
import type { SinkBehaviour } from "../fakes/sink-server.ts";
import { readRows } from "../sluice-process.ts";
import type { Ledger, Phase } from "./ledger.ts";
import type { Random } from "./random.ts";
import { globalDestination, manage, type Gateway, type ManagementRequest, type World } from "./world.ts";

/** What goes wrong. Three lanes run beside each other; in each, one thing comes after the other, as the seed says. */

type Lane = { world: World; ledger: Ledger; random: Random; endsAtMs: number };

/** So many calls are answered between two faults of processes, however slow the machine is. */
const answeredBetween = 30;

/** Runs all lanes until `endsAtMs`, and resolves when what was begun is over and everything is well again. */
export async function runFaults(
  world: World,
  ledger: Ledger,
  { random, endsAtMs }: { random: Random; endsAtMs: number },
) {
  async function run(name: string, act: (lane: Lane) => Promise<void>): Promise<void> {
    const lane = { world, ledger, random: random.branch(name), endsAtMs };
    while (ledger.nowMs() < endsAtMs) {
      await sleep(lane.random.between(300, 2_500));
      if (ledger.nowMs() < endsAtMs) await act(lane);
    }
  }
  const watching = setInterval(() => world.gateways.forEach((gateway) => watch(gateway, ledger)), 100);
  try {
    await Promise.all([run("processes", breakProcess), run("destinations", breakDestination), run("settings", change)]);
  } finally {
    clearInterval(watching);
    for (const sink of Object.values(world.sinks)) sink.setBehaviour({});
  }
}

/** Notes that a gateway ended although nobody told it to. */
export function watch(gateway: Gateway, ledger: Ledger): void {
  const ending = gateway.sluice.ended();
  if (gateway.isDown || ending === null) return;
  gateway.isDown = true;
  ledger.note(`gateway ${String(gateway.index)} ended by itself: ${JSON.stringify(ending)}`);
  noteProcess(ledger, gateway, {
    event: "ended by itself",
    code: ending.code,
    text: gateway.sluice.logs().slice(-2_000),
  });
}

function noteProcess(
  ledger: Ledger,
  { index }: Gateway,
  note: Pick<Ledger["processes"][number], "event"> & Partial<Ledger["processes"][number]>,
): void {
  ledger.processes.push({ gateway: index, atMs: ledger.nowMs(), code: null, isDiskFull: false, text: "", ...note });
}

async function breakProcess(lane: Lane): Promise<void> {
  const { world, ledger, random, endsAtMs } = lane;
  const answered = () => ledger.calls.filter(({ status }) => status === 200).length;
  const before = answered();
  while (answered() < before + answeredBetween && ledger.nowMs() < endsAtMs) await sleep(100);
  const gateway = random.pick(world.gateways);
  const common = [killOne, killOne, terminate, terminate, fillDisk, fillDisk];
  const shared = [restartPostgres, restartPostgres, killAll];
  const fault = random.pick(world.postgres === null ? common : [...common, ...shared]);
  await fault(lane, gateway);
}

async function killOne({ ledger, random }: Lane, gateway: Gateway): Promise<void> {
  const pauseMs = random.between(0, 800);
  await kill(ledger, gateway);
  await sleep(pauseMs);
  await startAgain(ledger, gateway);
}

async function killAll({ world, ledger }: Lane): Promise<void> {
  await Promise.all(world.gateways.map((gateway) => kill(ledger, gateway)));
  for (const gateway of world.gateways) await startAgain(ledger, gateway);
}

async function kill(ledger: Ledger, gateway: Gateway): Promise<void> {
  watch(gateway, ledger);
  gateway.isDown = true;
  ledger.note(`kill -9 of gateway ${String(gateway.index)}`);
  noteProcess(ledger, gateway, { event: "killed" });
  await gateway.sluice.kill();
}

async function terminate({ ledger }: Lane, gateway: Gateway, isDiskFull = false): Promise<void> {
  await stop(ledger, gateway, isDiskFull);
  gateway.setDiskFull(false);
  await startAgain(ledger, gateway);
}

/** SIGTERM, under whatever load there is. */
export async function stop(ledger: Ledger, gateway: Gateway, isDiskFull = false): Promise<void> {
  watch(gateway, ledger);
  gateway.isDown = true;
  ledger.note(`SIGTERM to gateway ${String(gateway.index)}`);
  const printed = gateway.sluice.logs().length;
  const ending = await gateway.sluice.stop().catch((error: unknown) => ({ code: null, signal: String(error) }));
  const text = gateway.sluice.logs().slice(printed);
  ledger.note(`gateway ${String(gateway.index)} ended: code ${String(ending.code)}`);
  noteProcess(ledger, gateway, { event: "terminated", code: ending.code, isDiskFull, text });
}

async function startAgain(ledger: Ledger, gateway: Gateway): Promise<void> {
  try {
    // A pooler refuses everybody for a moment after its server was away; a supervisor would start the gateway again.
    if (gateway.databaseUrl !== null) await waitForDatabase(gateway.databaseUrl);
    await gateway.sluice.restart();
    gateway.isDown = false;
    ledger.note(`gateway ${String(gateway.index)} is ready`);
    noteProcess(ledger, gateway, { event: "ready" });
  } catch (error) {
    noteProcess(ledger, gateway, { event: "not ready", text: String(error) });
    throw error;
  }
}

async function waitForDatabase(url: string): Promise<void> {
  const endMs = performance.now() + 60_000;
  for (;;) {
    try {
      await readRows(url, "SELECT 1");
      return;
    } catch (error) {
      if (performance.now() > endMs) throw error;
      await sleep(200);
    }
  }
}

async function fillDisk(lane: Lane, gateway: Gateway): Promise<void> {
  const { ledger, random } = lane;
  const [forMs, terminates] = [random.between(500, 3_000), random.next() < 0.3];
  ledger.note(`the disk of gateway ${String(gateway.index)} is full`);
  const full = { gateway: gateway.index, fromMs: ledger.nowMs(), untilMs: Infinity };
  ledger.fullDisks.push(full);
  gateway.setDiskFull(true);
  await sleep(forMs);
  if (terminates) await terminate(lane, gateway, true);
  gateway.setDiskFull(false);
  // The gateway looks every 50 ms.
  await sleep(200);
  full.untilMs = ledger.nowMs();
  ledger.note(`the disk of gateway ${String(gateway.index)} has room again`);
}

async function restartPostgres({ world, ledger, random }: Lane): Promise<void> {
  const [signal, pauseMs] = [random.pick(["SIGINT", "SIGQUIT"] as const), random.between(0, 2_500)];
  ledger.note(`PostgreSQL is stopped (${signal === "SIGINT" ? "fast" : "immediate"})`);
  await world.postgres?.halt(signal);
  await sleep(pauseMs);
  await world.postgres?.start();
  ledger.note("PostgreSQL is back");
}

async function breakDestination({ world, ledger, random }: Lane): Promise<void> {
  const sink = random.pick(Object.values(world.sinks));
  const behaviours: SinkBehaviour[] = [
    { hang: true },
    { status: 503 },
    { status: 429, headers: { "retry-after": "1" } },
    { loseAnswer: true },
    { latencyMs: 300 },
  ];
  const behaviour = random.pick(behaviours);
  const forMs = random.between(500, 4_000);
  ledger.note(`destination ${sink.name} is told ${JSON.stringify(behaviour)}`);
  sink.setBehaviour(behaviour);
  await sleep(forMs);
  sink.setBehaviour({});
  ledger.note(`destination ${sink.name} is well again`);
}

async function change(lane: Lane): Promise<void> {
  await lane.random.pick([switchLogging, switchLogging, moveCallback, blockKey])(lane);
}

/** The team's logging is switched off, stays off for a while, and is switched on again. */
async function switchLogging(lane: Lane): Promise<void> {
  const offMs = lane.random.between(500, 4_000);
  await writePhase(lane, { team: "switched", destination: null }, { path: "/team/switched/disable_logging", body: {} });
  await sleep(offMs);
  await addCallback(lane, "switched", "switched");
}

/** The team's callback is taken away, and the team gets another one: in between, its calls go to the global destination. */
async function moveCallback(lane: Lane): Promise<void> {
  const now = lane.ledger.phases.get("moved")?.at(-1)?.destination;
  await writePhase(
    lane,
    { team: "moved", destination: globalDestination },
    {
      method: "DELETE",
      path: "/team/moved/callback/webhook",
      isDone: (status) => status === 404,
    },
  );
  await addCallback(lane, "moved", now === "moved-1" ? "moved-2" : "moved-1");
}

async function addCallback(lane: Lane, team: string, destination: string): Promise<void> {
  await writePhase(
    lane,
    { team, destination },
    {
      path: `/team/${team}/callback`,
      body: lane.world.sinks[destination]?.callback ?? {},
      isDone: (status, text) => status === 400 && text.includes("already exists"),
    },
  );
}

async function writePhase(
  { world, ledger }: Lane,
  { team, destination }: { team: string; destination: string | null },
  request: ManagementRequest,
): Promise<void> {
  const phase: Phase = { destination, sentAtMs: ledger.nowMs(), confirmedAtMs: Infinity };
  const phases = ledger.phases.get(team) ?? [];
  ledger.phases.set(team, [...phases, phase]);
  ledger.note(`team ${team}: ${request.method ?? "POST"} ${request.path}`);
  // A write whose answer was lost holds in the other gateways soon, which nobody confirmed.
  if ((await manage(world, request)) === "done before") await sleep(3_000);
  phase.confirmedAtMs = ledger.nowMs();
  ledger.note(`team ${team}: logs to ${destination ?? "nobody"} now`);
}

async function blockKey({ world, ledger, random }: Lane): Promise<void> {
  const key = world.keys.find(({ name }) => name === "steady-blocked")?.key;
  const forMs = random.between(300, 2_000);
  await manage(world, { path: "/key/block", body: { key } });
  ledger.note("key steady-blocked is blocked");
  await sleep(forMs);
  await manage(world, { path: "/key/unblock", body: { key } });
  ledger.note("key steady-blocked is unblocked");
}
