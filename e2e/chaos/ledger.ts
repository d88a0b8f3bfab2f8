/** What one chaos run did and saw from outside: the clients' calls, the teams' logging over time, the faults. */

/**
 * How a call ended for its client. `answered`: the whole answer arrived, its last frame included. `cut`: the stream ended
 * with an error frame. `broken`: the connection broke, or was refused. `left`: the client went away itself.
 */
export type Outcome = "answered" | "cut" | "broken" | "left";

/** One call as its client knows it. Times are milliseconds since the run began. */
export type Call = {
  /** The id that the client chose; every record of the call carries it. */
  callId: string;
  /** The text that is in this call's prompt and in no other. */
  mark: string;
  kind: string;
  gateway: number;
  /** The name of the key in this run, not the key. */
  key: string;
  team: string | null;
  startedAtMs: number;
  endedAtMs: number;
  outcome: Outcome;
  /** 0 if there was no answer. */
  status: number;
  /** The `x-sluice-log` header. */
  receipt: string | null;
  recordId: string | null;
  costUsd: number | null;
  /** How the answer begins, if it is an error. */
  error: string;
  /** False if what arrived is not the upstream's whole answer to this prompt. */
  isWhole: boolean;
};

/**
 * From when on a team's logs go to a destination (null: its logging is disabled). The write was sent at `sentAtMs` and
 * confirmed at `confirmedAtMs`; in between either may hold.
 */
export type Phase = { destination: string | null; sentAtMs: number; confirmedAtMs: number };

/** Something that happened to a process. `at` tells what was going on. */
export type ProcessNote = {
  gateway: number;
  atMs: number;
  event: "killed" | "terminated" | "ended by itself" | "ready" | "not ready";
  code: number | null;
  /** Whether its disk was full when it was told to end. */
  isDiskFull: boolean;
  text: string;
};

/** An interval in which a gateway could not commit. */
export type FullDisk = { gateway: number; fromMs: number; untilMs: number };

/** All of it, and when each fault came, as lines to read. */
export type Ledger = {
  nowMs(): number;
  calls: Call[];
  phases: Map<string, Phase[]>;
  processes: ProcessNote[];
  fullDisks: FullDisk[];
  timeline: { atMs: number; text: string }[];
  note(text: string): void;
};

/** An empty ledger; `print` shows each fault as it comes. */
export function makeLedger(print: (line: string) => void = () => undefined): Ledger {
  const startedMs = performance.now();
  const nowMs = () => performance.now() - startedMs;
  const timeline: Ledger["timeline"] = [];
  return {
    nowMs,
    calls: [],
    phases: new Map(),
    processes: [],
    fullDisks: [],
    timeline,
    note(text) {
      timeline.push({ atMs: nowMs(), text });
      print(`${(nowMs() / 1_000).toFixed(1).padStart(7)} s  ${text}`);
    },
  };
}
