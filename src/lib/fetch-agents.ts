import { isIP, type LookupFunction, type Socket } from "node:net";
import { Agent, buildConnector, Pool } from "undici";
import { findRefusal, findRefusalOfAll, type GuardedTarget, toTarget } from "#lib/address-guard.ts";
import { findPrivateHosts } from "#lib/address-private-hosts.ts";
import { resolveHost } from "#lib/address-resolver.ts";
import { refusalCode } from "#lib/fetch-failure.ts";
import { stateCell } from "#lib/state.ts";

/** One agent for what the operator wrote, one for what a team, a key or a request chose. They share no connection. */
export type Agents = { operator: Agent; guarded: Agent };

/** No connection takes longer than this to be made, whatever a call allows. */
export const connectTimeoutMs = 10_000;

const agentsState = stateCell<Agents>("upstreamAgents");

/** The agents of this process, made at first use. */
export function getAgents(): Agents {
  const known = agentsState.find();
  if (known) return known;
  const agents = { operator: makeOperatorAgent(), guarded: makeGuardedAgent() };
  agentsState.set(agents);
  return agents;
}

/** Closes every connection; what is underway fails. The next call starts anew. */
export async function closeAgents(): Promise<void> {
  const agents = agentsState.find();
  if (!agents) return;
  agentsState.clear();
  await Promise.all([agents.operator.destroy(), agents.guarded.destroy()]);
}

// HTTP/2 is off: one connection per call keeps a stopped stream, a hung server and back-pressure apart from other
// calls. An agent forgets an origin with its last connection, so a thousand teams' hosts leave nothing behind.

function makeOperatorAgent(): Agent {
  return new Agent({
    connections: 1024,
    allowH2: false,
    keepAliveTimeout: 20_000,
    keepAliveMaxTimeout: 60_000,
    connect: { timeout: connectTimeoutMs },
  });
}

function makeGuardedAgent(): Agent {
  return new Agent({
    connections: 16,
    allowH2: false,
    keepAliveTimeout: 5000,
    // Or a host would choose by its `Keep-Alive` header how long it holds our sockets.
    keepAliveMaxTimeout: 10_000,
    factory: (origin, options) =>
      new Pool(origin, Object.assign({}, options, { connect: makeGuardedConnector(toTarget(new URL(origin))) })),
  });
}

/**
 * Connects to one target, if the guard lets it: the name is resolved once, every address of it is judged, one of
 * these is dialled, and the address that the socket reports is judged again.
 */
function makeGuardedConnector(target: GuardedTarget): buildConnector.connector {
  const lookup: LookupFunction = (host, options, callback) => {
    resolveHost(host).then(
      (addresses) => {
        const refusal = findRefusalOfAll(target, addresses, findPrivateHosts());
        const [first] = addresses;
        if (refusal !== null) callback(makeRefusal(refusal), []);
        else if (first === undefined) callback(Object.assign(new Error("No address"), { code: "ENOTFOUND" }), []);
        else if (options.all !== true) callback(null, first, isIP(first));
        else
          callback(
            null,
            addresses.map((address) => ({ address, family: isIP(address) })),
          );
      },
      (error: unknown) => {
        callback(error instanceof Error ? error : new Error("No address"), []);
      },
    );
  };
  const connect = buildConnector({ lookup, allowH2: false, timeout: connectTimeoutMs });
  return (options, callback) => {
    const refusal = findRefusalBeforeLookup(target);
    if (refusal !== null) {
      callback(makeRefusal(refusal), null);
      return;
    }
    connect(options, (...result) => {
      if (result[0] !== null) {
        callback(result[0], null);
        return;
      }
      const refused = findRefusalOfSocket(target, result[1]);
      if (refused === null) {
        callback(null, result[1]);
        return;
      }
      result[1].destroy();
      callback(makeRefusal(refused), null);
    });
  };
}

function findRefusalBeforeLookup(target: GuardedTarget): string | null {
  // A name may still be open by the address that it resolves to: the lookup judges that.
  return isIP(target.host) === 0 ? null : findRefusal(target, target.host, findPrivateHosts());
}

function findRefusalOfSocket(target: GuardedTarget, socket: Socket): string | null {
  const address = socket.remoteAddress;
  return address === undefined ? "its address is unknown" : findRefusal(target, address, findPrivateHosts());
}

function makeRefusal(reason: string): NodeJS.ErrnoException {
  return Object.assign(new Error(reason), { code: refusalCode });
}
