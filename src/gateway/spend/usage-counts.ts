import { stateCell } from "#lib/state.ts";
import { toStorableText } from "#lib/storable.ts";
import type { LogRecord } from "#logging/record.ts";

/** What the calls of one key to one model on one day (UTC) add up to. */
export type UsageCount = {
  /** `2026-11-21`. */
  day: string;
  /** Empty: the key is of no team. */
  team: string;
  /** The SHA-256 of the key. */
  key: string;
  /** The public name; empty for calls that no model answered or refused, whose names clients make up. */
  model: string;
  calls: number;
  failures: number;
  promptTokens: number;
  completionTokens: number;
  usd: number;
};

const cell = stateCell<Map<string, UsageCount>>("usage-counts");

/** Counts a call, logged or not, in memory; of its content nothing is kept. The master key's calls are nobody's. */
export function countUsage(record: LogRecord): void {
  const { keyHash, teamId } = record.caller;
  if (keyHash === null) return;
  addUsage({
    day: new Date(record.endTimeMs).toISOString().slice(0, 10),
    team: teamId ?? "",
    key: keyHash,
    model: record.provider === null ? "" : toStorableText(record.modelGroup ?? record.model),
    calls: 1,
    failures: record.status === "failure" ? 1 : 0,
    promptTokens: record.usage.promptTokens,
    completionTokens: record.usage.completionTokens,
    usd: record.responseCostUsd,
  });
}

/** Adds to what is counted already. */
export function addUsage(count: UsageCount): void {
  const counts = cell.find() ?? new Map<string, UsageCount>();
  cell.set(counts);
  const name = `${count.day}\0${count.team}\0${count.key}\0${count.model}`;
  const known = counts.get(name);
  if (known === undefined) {
    counts.set(name, { ...count });
    return;
  }
  known.calls += count.calls;
  known.failures += count.failures;
  known.promptTokens += count.promptTokens;
  known.completionTokens += count.completionTokens;
  known.usd += count.usd;
}

/** What was counted since the last time it was taken. */
export function takeUsage(): UsageCount[] {
  const counts = [...(cell.find()?.values() ?? [])];
  cell.clear();
  return counts;
}
