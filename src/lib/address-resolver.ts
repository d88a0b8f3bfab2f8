import { lookup } from "node:dns/promises";
import { stateCell } from "#lib/state.ts";

/** Gives all addresses of a name, in the order in which to try them; rejects where there are none. */
export type Resolver = (host: string) => Promise<readonly string[]>;

/** The resolver of this process; where none is set, the operating system's. */
export const resolverState = stateCell<Resolver>("resolver");

type Turns = { running: number; waiting: (() => void)[]; underway: Map<string, Promise<readonly string[]>> };

const turnsState = stateCell<Turns>("resolverTurns");

// The system's resolver holds one of libuv's four threads until it answers and cannot be stopped. One thread stays
// free of names that strangers chose, or their slow name servers would stop the operator's connections and files too.
const lookupsMax = 3;

/** All addresses of a name. Names that are asked for at the same time are looked up once. */
export function resolveHost(host: string): Promise<readonly string[]> {
  return (resolverState.find() ?? systemResolver)(host);
}

function systemResolver(host: string): Promise<readonly string[]> {
  const turns: Turns = turnsState.find() ?? { running: 0, waiting: [], underway: new Map() };
  turnsState.set(turns);
  const known = turns.underway.get(host);
  if (known) return known;
  const answer = inTurn(turns, () => lookup(host, { all: true })).then((found) => found.map(({ address }) => address));
  turns.underway.set(host, answer);
  const forget = () => void turns.underway.delete(host);
  answer.then(forget, forget);
  return answer;
}

async function inTurn<T>(turns: Turns, work: () => Promise<T>): Promise<T> {
  if (turns.running >= lookupsMax) await new Promise<void>((resolve) => turns.waiting.push(resolve));
  else turns.running += 1;
  try {
    return await work();
  } finally {
    // The turn is handed over, so `running` only falls where nobody waits.
    const next = turns.waiting.shift();
    if (next) next();
    else turns.running -= 1;
  }
}
