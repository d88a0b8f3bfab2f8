import type { Arrival } from "./arrivals.ts";
import type { Call, FullDisk, Phase, ProcessNote } from "./ledger.ts";

/** What a run left behind on all sides, and whether the promises held. A pure function of what was seen. */

/** A key as both sides know it. */
export type KeyFact = {
  name: string;
  hash: string;
  team: string | null;
  user: string | null;
  ownDestination: string | null;
};

/** A delivery row of a queue. `state`: 0 pending, 1 delivered, 2 dead, 3 suppressed. */
export type QueueRow = { recordId: string; callId: string; team: string | null; state: number };

export type Facts = {
  calls: readonly Call[];
  phases: ReadonlyMap<string, readonly Phase[]>;
  processes: readonly ProcessNote[];
  fullDisks: readonly FullDisk[];
  keys: readonly KeyFact[];
  globalDestination: string;
  arrivals: readonly Arrival[];
  /** What the gateway says that each key, team and user has spent. */
  spends: readonly { scope: "key" | "team" | "user"; name: string; usd: number }[];
  /** What is still held back in budgets, and since when. */
  reservations: readonly { recordId: string; sinceMs: number }[];
  /** How many calls at once a gateway admitted in the end, and whether it refused one more. */
  probes: readonly { key: string; gateway: number; limit: number; admitted: number; isNextRefused: boolean }[];
  rows: readonly QueueRow[];
  /** Secrets and prompts that were found in the gateways' own logs or files. */
  leaks: readonly { where: string; what: string }[];
};

/** A promise that did not hold. */
export type Violation = { promise: string; text: string; calls: readonly Call[]; atMs: number | null };

/** A request that was aborted may still lie in the destination's socket for a moment. */
const inSocketMs = 1_000;
/** A changed callback holds in other gateways within a second, or once one that was cut off is back. */
const changeMs = 6_000;
/** From a call's end until its record is certainly committed. */
const commitMs = 5_000;
/** Longer than any call of a run. */
const callMsMax = 30_000;
/** A sum of thousands of doubles. */
const usdError = 1e-6;

/** Every promise that did not hold, in no order. */
export function judgeRun(facts: Facts): Violation[] {
  const known = new Set(facts.calls.map(({ callId }) => callId));
  const byCall = Map.groupBy(facts.arrivals, ({ callId }) => callId);
  return [
    ...facts.calls.flatMap((call) => judgeCall(facts, call, byCall.get(call.callId) ?? [])),
    ...facts.arrivals
      .filter(({ callId }) => !known.has(callId))
      .map((arrival) => violation("no record without a call", JSON.stringify(arrival), { atMs: arrival.atMs })),
    ...judgeDisables(facts),
    ...judgeRows(facts),
    ...judgeSpend(facts),
    ...judgeLimits(facts),
    ...judgeProcesses(facts),
    ...facts.leaks.map(({ where, what }) =>
      violation("no secret and no prompt in our own files and logs", `${what} in ${where}`),
    ),
  ];
}

function violation(
  promise: string,
  text: string,
  { calls = [], atMs = null }: { calls?: readonly Call[]; atMs?: number | null } = {},
): Violation {
  return { promise, text, calls, atMs: atMs ?? calls[0]?.endedAtMs ?? null };
}

function judgeCall(facts: Facts, call: Call, arrivals: readonly Arrival[]): Violation[] {
  const places = placesOf(facts, call);
  const found: Violation[] = [];
  const add = (promise: string, text: string) => void found.push(violation(promise, text, { calls: [call] }));
  if (arrivals.length > 1)
    add("logged at most once", `it is at ${arrivals.map((one) => one.destination).join(" and ")}`);
  if (arrivals.length === 0 && mustBeLogged(facts, call, places)) {
    add("logged exactly once", `it is nowhere; it belongs to ${places.map((place) => place.destination).join(" or ")}`);
  }
  for (const arrival of arrivals) {
    if (!places.some(({ destination }) => destination === arrival.destination)) {
      const isDisabled = places.every(({ destination }) => destination === null);
      const promise = isDisabled ? "nothing of a disabled team" : "logged at the right destination";
      add(
        promise,
        `it is at ${arrival.destination}, not at ${places.map((place) => place.destination ?? "nobody").join(" or ")}`,
      );
    }
    const fault = contentFault(call, arrival);
    if (fault !== null) add("logged with its content", `${fault}: ${JSON.stringify(arrival)}`);
  }
  if (call.error.includes("Internal Server Error, request id")) add("no fault of ours in an answer", call.error);
  if (call.outcome === "answered" && call.status === 200) {
    if (!call.isWhole) add("answered with its own answer", "the answer is not the upstream's");
    const isPrivate = places.some(({ destination }) => destination === null);
    if (call.recordId === null && !isPrivate) add("answered with a receipt", `its receipt is ${String(call.receipt)}`);
  }
  return found;
}

function contentFault(call: Call, arrival: Arrival): string | null {
  if (call.recordId !== null && arrival.recordId !== call.recordId) return "the receipt names another record";
  const marks = [...arrival.inputMarks, ...arrival.outputMarks];
  // A text that was cut may end within a mark.
  if (marks.some((mark) => !`${call.mark}.end`.startsWith(mark))) return "it has content of another call";
  const isAnswered = call.outcome === "answered" && call.status === 200;
  if (!isAnswered) return null;
  if (arrival.status !== "success") return "an answered call is logged as failed";
  if (!arrival.inputMarks.includes(`${call.mark}.end`)) return "the prompt is missing";
  if (!call.kind.startsWith("embeddings") && !arrival.outputMarks.includes(call.mark)) return "the answer is missing";
  if (call.costUsd !== null && Math.abs(call.costUsd - arrival.costUsd) > usdError)
    return "the answer said another cost";
  return null;
}

/** Where a call's log may go. `isWithdrawn`: the destination was taken away later, with what was waiting for it. */
type Place = { destination: string | null; isWithdrawn: boolean };

function placesOf({ phases, keys, globalDestination }: Facts, call: Call): Place[] {
  const own = keys.find(({ name }) => name === call.key)?.ownDestination ?? null;
  const ofTeam = call.team === null ? undefined : phases.get(call.team);
  if (ofTeam === undefined) return [{ destination: own ?? globalDestination, isWithdrawn: false }];
  return ofTeam.flatMap((phase, index): Place[] => {
    const next = ofTeam[index + 1];
    const isSwitch = next?.destination === null || phase.destination === null;
    const overMs = next === undefined ? Infinity : next.confirmedAtMs + (isSwitch ? 0 : changeMs);
    if (phase.sentAtMs > call.endedAtMs || overMs < call.startedAtMs) return [];
    if (phase.destination === null) return [{ destination: null, isWithdrawn: false }];
    const later = ofTeam.slice(index + 1);
    const isWithdrawn =
      own === null
        ? later.length > 0 && phase.destination !== globalDestination
        : later.some(({ destination }) => destination === null);
    return [{ destination: own ?? phase.destination, isWithdrawn }];
  });
}

function mustBeLogged(facts: Facts, call: Call, places: readonly Place[]): boolean {
  if (places.some(({ destination, isWithdrawn }) => destination === null || isWithdrawn)) return false;
  if (call.outcome === "answered") return call.status === 200 || call.recordId !== null;
  if (call.recordId === null) return false;
  const untilMs = call.endedAtMs + commitMs;
  const isKilled = facts.processes.some(
    ({ gateway, event, atMs }) =>
      event === "killed" && gateway === call.gateway && atMs >= call.startedAtMs && atMs <= untilMs,
  );
  const isFull = facts.fullDisks.some(
    (full) => full.gateway === call.gateway && full.fromMs <= untilMs && full.untilMs >= call.startedAtMs,
  );
  return !isKilled && !isFull;
}

function judgeDisables({ phases, arrivals }: Facts): Violation[] {
  return [...phases].flatMap(([team, ofTeam]) =>
    ofTeam.flatMap((phase, index) => {
      if (phase.destination !== null) return [];
      const untilMs = ofTeam[index + 1]?.sentAtMs ?? Infinity;
      const late = arrivals.filter(
        ({ team: owner, atMs }) =>
          owner === team && atMs !== null && atMs > phase.confirmedAtMs + inSocketMs && atMs < untilMs,
      );
      return late.map((arrival) =>
        violation("nothing of a disabled team", `it arrived while the team was disabled: ${JSON.stringify(arrival)}`, {
          atMs: arrival.atMs,
        }),
      );
    }),
  );
}

function judgeRows(facts: Facts): Violation[] {
  const { rows, phases, calls } = facts;
  const byId = new Map(calls.map((call) => [call.callId, call]));
  return rows.flatMap((row) => {
    const call = byId.get(row.callId);
    const about = { calls: call === undefined ? [] : [call] };
    const text = `a row in the queue: ${JSON.stringify(row)}`;
    const isDisabledNow = row.team !== null && phases.get(row.team)?.at(-1)?.destination === null;
    const wasDisabled = call !== undefined && placesOf(facts, call).every(({ destination }) => destination === null);
    if (isDisabledNow || wasDisabled) return [violation("nothing of a disabled team", text, about)];
    if (row.state === 0) return [violation("everything is delivered once faults stop", text, about)];
    return row.state === 2 ? [violation("nothing becomes a dead letter", text, about)] : [];
  });
}

function judgeSpend(facts: Facts): Violation[] {
  const { spends, keys, calls, arrivals, phases, processes } = facts;
  const isKilled = processes.some(({ event }) => event === "killed" || event === "ended by itself");
  const answered = new Set(calls.filter(({ outcome }) => outcome === "answered").map(({ callId }) => callId));
  const isChanged = (team: string | null) => team !== null && (phases.get(team)?.length ?? 0) > 1;
  return spends.flatMap(({ scope, name, usd }) => {
    const own = keys.filter((key) => (scope === "key" ? key.name : scope === "team" ? key.team : key.user) === name);
    const hashes = new Set(own.map(({ hash }) => hash));
    const logs = arrivals.filter(({ keyHash }) => keyHash !== null && hashes.has(keyHash));
    const sum = (ofThese: readonly Arrival[]) => ofThese.reduce((total, { costUsd }) => total + costUsd, 0);
    const logged = sum(logs);
    const promised = isKilled ? sum(logs.filter(({ callId }) => answered.has(callId))) : logged;
    const text = `${scope} ${name}: spend ${String(usd)}, logged ${String(logged)}, logged and answered ${String(promised)}`;
    if (usd < promised - usdError) return [violation("spend is at least what was answered", text)];
    // What a disabled team's calls cost is in no log.
    const isLess = own.some(({ team }) => isChanged(team));
    return !isLess && usd > logged + usdError ? [violation("spend is at most what was logged", text)] : [];
  });
}

function judgeLimits({ reservations, probes, processes }: Facts): Violation[] {
  const kills = processes.filter(({ event }) => event === "killed" || event === "ended by itself");
  const left = reservations.filter(
    ({ sinceMs }) => !kills.some(({ atMs }) => atMs >= sinceMs - commitMs && atMs <= sinceMs + callMsMax),
  );
  const wrong = probes.filter(({ limit, admitted, isNextRefused }) => admitted !== limit || !isNextRefused);
  return [
    ...left.map((one) => violation("nothing is left in budgets", JSON.stringify(one), { atMs: one.sinceMs })),
    ...wrong.map((one) => violation("nothing is left in limiters", JSON.stringify(one))),
  ];
}

function judgeProcesses({ processes }: Facts): Violation[] {
  return processes.flatMap((note) => {
    const text = JSON.stringify({ ...note, text: note.text.slice(-1_500) });
    const about = { atMs: note.atMs };
    if (note.event === "ended by itself") return [violation("no process ends by itself", text, about)];
    if (note.event === "not ready") return [violation("every process becomes ready again", text, about)];
    if (note.event !== "terminated" || note.code === 0) return [];
    const saysHowMany = note.code !== null && /\d+ calls? could not be committed/.test(note.text);
    return note.isDiskFull && saysHowMany ? [] : [violation("SIGTERM ends with 0", text, about)];
  });
}
