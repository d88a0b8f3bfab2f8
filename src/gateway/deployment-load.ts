import type { Deployment } from "#gateway/models.ts";
import { stateCell } from "#lib/state.ts";

/** What this process knows of a deployment's last minute. Kept only where there is something to choose or to count. */
export type DeploymentLoad = {
  /** Calls that are not over. */
  running: number;
  /** The minute of the counts below. */
  minute: number;
  requests: number;
  tokens: number;
  failures: number;
  /** Until when it is left alone, on the clock of `monotonicMs`: one that is set back prolongs nothing. */
  coolUntilMs: number;
};

const loadsState = stateCell<Map<string, DeploymentLoad>>("deployment-loads");

/** A deployment's load, its counts begun anew where their minute is over. `nowMs` is on the clock of `monotonicMs`. */
export function loadOf({ id }: Deployment, nowMs: number): DeploymentLoad {
  const loads = loadsState.find() ?? new Map<string, DeploymentLoad>();
  loadsState.set(loads);
  const minute = Math.floor(nowMs / 60_000);
  const known = loads.get(id);
  if (!known) {
    const load = { running: 0, minute, requests: 0, tokens: 0, failures: 0, coolUntilMs: 0 };
    loads.set(id, load);
    return load;
  }
  if (known.minute !== minute) Object.assign(known, { minute, requests: 0, tokens: 0, failures: 0 });
  return known;
}

/** Forgets every count, for tests and a new model list. */
export function forgetLoads(): void {
  loadsState.clear();
}
