import { AppError } from "#lib/errors.ts";
import { stateCell } from "#lib/state.ts";

/**
 * One call from the arrival of its request until its record is committed. Everything that still has to happen holds it:
 * the handler of the request, the stream that carries the answer, the commit. It leaves with the last release.
 */
export type CallInFlight = {
  /** Aborted when the client leaves, or when the gateway cuts the call at its stop: `findCut` tells which. */
  signal: AbortSignal;
  /** Keeps the call in flight until the returned function is called. Calling that twice releases once. */
  hold(): () => void;
};

type Registry = {
  open: Set<AbortController>;
  /** Once calls are cut: the error that their clients get. */
  cut: AppError | null;
  /** Rejects the waits that a cut ends. */
  cutters: Set<(cut: AppError) => void>;
  /** Called when no call is in flight any more. */
  settled: (() => void)[];
  lost: number;
};

const cell = stateCell<Registry>("calls-in-flight");

/** Enters a call, with one hold that `leave` releases. A call that comes after the cut is cut at once. */
export function enterCall(client: AbortSignal): CallInFlight & { leave: () => void } {
  const registry = getRegistry();
  const controller = new AbortController();
  let holds = 0;

  function release(): void {
    holds -= 1;
    if (holds > 0) return;
    registry.open.delete(controller);
    if (registry.open.size === 0) for (const tell of registry.settled.splice(0)) tell();
  }

  function hold(): () => void {
    let isHeld = true;
    holds += 1;
    registry.open.add(controller);
    return () => {
      if (isHeld) release();
      isHeld = false;
    };
  }

  if (registry.cut !== null) controller.abort(registry.cut);
  else if (client.aborted) controller.abort(client.reason);
  const onAbort = (): void => {
    controller.abort(client.reason);
  };
  client.addEventListener("abort", onAbort, { once: true });
  return { signal: controller.signal, hold, leave: hold() };
}

/** The error of a call that the gateway cut; null if its client left, or if it goes on. */
export function findCut(signal: AbortSignal | undefined): AppError | null {
  const { cut } = getRegistry();
  return cut !== null && signal?.reason === cut ? cut : null;
}

/** Calls `act` when the call of this signal is cut, at once if it is cut already. */
export function onCut(signal: AbortSignal | undefined, act: (cut: AppError) => void): void {
  const check = (): void => {
    const cut = findCut(signal);
    if (cut !== null) act(cut);
  };
  if (signal?.aborted === true) check();
  else signal?.addEventListener("abort", check, { once: true });
}

/**
 * The result of the work. Throws the cut if that comes first, whatever becomes of the work. After the cut, only work
 * that has nothing to wait for still gives its result.
 */
export function untilCut<Value>(work: Promise<Value>): Promise<Value> {
  const { cut, cutters } = getRegistry();
  return new Promise((resolve, reject) => {
    cutters.add(reject);
    if (cut !== null) setImmediate(reject, cut);
    work.then(resolve, reject).finally(() => cutters.delete(reject));
  });
}

/** Cuts the calls in flight and those that come later: each ends with one error, and is logged. Works once. */
export function cutCalls(): void {
  const registry = getRegistry();
  if (registry.cut !== null) return;
  const message = "The gateway is stopping and has cut this call. Send it again.";
  const cut = new AppError("unavailable", message, { headers: { "retry-after": "1" } });
  registry.cut = cut;
  for (const controller of registry.open) controller.abort(cut);
  for (const reject of registry.cutters) reject(cut);
  registry.cutters.clear();
}

/** Resolves when no call is in flight. */
export async function callsSettled(): Promise<void> {
  const { open, settled } = getRegistry();
  if (open.size > 0) await new Promise<void>((resolve) => void settled.push(resolve));
}

/** Counts a call whose record could not be committed. */
export function noteLostCall(): void {
  getRegistry().lost += 1;
}

/** How many calls are in flight, and how many records could not be committed since the process started. */
export function countCalls(): { inFlight: number; lost: number } {
  const { open, lost } = getRegistry();
  return { inFlight: open.size, lost };
}

function getRegistry(): Registry {
  const known = cell.find();
  if (known) return known;
  const registry: Registry = { open: new Set(), cut: null, cutters: new Set(), settled: [], lost: 0 };
  cell.set(registry);
  return registry;
}
