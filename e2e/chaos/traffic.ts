import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { ask, wires, type Manners, type Wire } from "./ask.ts";
import type { Ledger } from "./ledger.ts";
import type { Random } from "./random.ts";
import type { World } from "./world.ts";

/** Mixed load: all wires, all keys, patient and impatient clients, upstreams that work and that fail. */

const clients = 12;

/** Clients that ask again and again, until `stop`; it resolves when the last call of each has ended. */
export function startTraffic(world: World, ledger: Ledger, random: Random): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const running = Array.from({ length: clients }, async (_, client) => {
    const own = random.branch(`client ${String(client)}`);
    while (!stopping.signal.aborted) await askOnce(world, ledger, own);
  });
  return {
    async stop() {
      stopping.abort();
      await Promise.all(running);
    },
  };
}

async function askOnce(world: World, ledger: Ledger, random: Random): Promise<void> {
  // All that chance decides is drawn first, so that a run that goes another way still asks for the same.
  const key = random.pick(world.keys);
  const drawn = random.next();
  const gateway = random.pick(world.gateways);
  const wire = random.pick(wires);
  const isUnknown = random.next() < 0.02;
  const length = random.next() ** 3;
  const pauseMs = random.between(0, 200);
  const { isStreamed, order, manners } = toWay(drawn, random);
  // A slow answer pauses before each word.
  const words = "word ".repeat(Math.ceil(length * (order === "[[slow]]" ? 50 : 800))).trim();
  const { ended } = ask(ledger, {
    ...{ url: gateway.sluice.url, gateway: gateway.index, isStreamed: isStreamed && wire !== "embeddings" },
    apiKey: isUnknown ? `sk-${randomBytes(12).toString("hex")}` : key.key,
    key: isUnknown ? "unknown" : key.name,
    team: isUnknown ? null : key.team,
    ...{ wire, order: isOrderFor(wire, order) ? order : "", words, manners },
  });
  const call = await ended;
  await sleep(call.status === 0 && call.outcome === "broken" ? pauseMs + 150 : pauseMs);
}

type Way = { isStreamed: boolean; order: string; manners: Manners };

/** What each hundredth of the calls is like. */
function toWay(drawn: number, random: Random): Way {
  const hundredth = Math.floor(drawn * 100);
  const plain = { isStreamed: false, order: "", manners: {} };
  const streamed = { ...plain, isStreamed: true };
  if (hundredth < 34) return plain;
  if (hundredth < 62) return streamed;
  if (hundredth < 70) return { ...streamed, order: "[[slow]]" };
  if (hundredth < 73) return { ...plain, order: "[[slow]]" };
  if (hundredth < 79) {
    const leavesAfterPieces = 1 + Math.floor(random.between(0, 6));
    return { ...streamed, order: "[[slow]]", manners: { leavesAfterPieces } };
  }
  if (hundredth < 83) {
    return { isStreamed: random.next() < 0.5, order: "[[slow]]", manners: { leavesAfterMs: random.between(0, 600) } };
  }
  if (hundredth < 86) return { ...streamed, manners: { readPauseMs: random.between(20, 120) } };
  if (hundredth < 89) return { ...streamed, order: "[[break-mid-stream]]" };
  if (hundredth < 91) return { ...streamed, order: "[[error-mid-stream]]" };
  if (hundredth < 95) return { ...plain, order: "[[error-500]]" };
  if (hundredth < 97) return { ...plain, order: "[[error-400-echo]]" };
  if (hundredth < 98)
    return { ...streamed, order: "[[hang-mid-stream]]", manners: { leavesAfterMs: random.between(500, 8_000) } };
  if (hundredth < 99) return { ...plain, order: "[[big]]" };
  return { ...streamed, order: "[[big]]", manners: { readPauseMs: 5 } };
}

/** The fakes know not all orders on all wires: a pause that nobody makes would only make a call look odd. */
function isOrderFor(wire: Wire, order: string): boolean {
  if (wire === "chat") return true;
  if (wire === "embeddings") return order === "" || order.startsWith("[[error");
  return order !== "[[big]]";
}
