import { setImmediate } from "node:timers/promises";
import { monotonicMs } from "#lib/monotonic.ts";
import { firing, withoutKeyInfo } from "#logging/log-call.ts";
import { isSameCallback, type PlannedTarget } from "#logging/log-plan.ts";
import { decodeRecord, encodeRecord, redactQueued } from "#logging/queued-record.ts";
import type { Queue, QueueEntry, RetainedRecord, RetainedRequest } from "#logging/queue/queue.ts";
import { redactedText } from "#logging/redacted-text.ts";

/** Which records a callback is to get that it never had, and where to go on; `isDryRun`: they are only counted. */
export type BackfillRequest = Pick<RetainedRequest, "teamId" | "keyHashes" | "createdFromMs" | "before"> & {
  callbackId: string;
  isDryRun: boolean;
};

/** What was queued, or would be, what is kept and not the callback's to get, and where to go on; `next` null: the end. */
export type BackfillResult = { queued: number; skipped: number; next: number | null };

/** Sends records that are kept to a callback that never had them. */
export type Backfill = {
  /** Works for about a second at most, one request after the other. */
  run(request: BackfillRequest): Promise<BackfillResult>;
  /** What was read so far is read again before it is queued; resolves when nothing is on its way into the queue. */
  interrupt(): Promise<void>;
};

/** What a backfill asks the rest of the process. */
export type BackfillSource = {
  queue: Queue;
  /** The callback as a call of this key and team would be logged to it now; null where none would. */
  targetNow(
    callbackId: string,
    whose: { keyHash: string | null; teamId: string | null },
  ): Promise<PlannedTarget | null>;
  isDisabled(teamId: string): boolean;
  keepMetadata: readonly string[];
};

/** Small pages: opening and redacting them stands in the way of what is committed for calls. */
const pageRecords = 50;
const pageBytesMax = 1_000_000;
/** Who comes next waits for the one before. */
const runMs = 1_000;
/** Above every delivery's number, and of as many digits as a cursor may have. */
const cursorMax = 999_999_999_999_999;

/** Makes the backfill of one queue. */
export function makeBackfill(source: BackfillSource): Backfill {
  const { queue } = source;
  let turn = 0;
  let last: Promise<unknown> = Promise.resolve();
  let appending: Promise<unknown> = Promise.resolve();

  async function runAlone(request: BackfillRequest): Promise<BackfillResult> {
    const { callbackId, isDryRun, teamId } = request;
    const endMs = monotonicMs() + runMs;
    const result: BackfillResult = { queued: 0, skipped: 0, next: request.before ?? cursorMax };
    const judge = makeJudge(source, callbackId);
    for (;;) {
      const started = turn;
      const { records, next } = await queue.retained({
        ...{ teamId, createdFromMs: request.createdFromMs, before: result.next, missingAt: callbackId },
        ...(request.keyHashes ? { keyHashes: request.keyHashes } : {}),
        ...{ limit: pageRecords, bytesMax: pageBytesMax },
      });
      const judged = await Promise.all(records.map(judge));
      const entries = judged.filter((entry) => entry !== null);
      if (teamId !== null && source.isDisabled(teamId)) return { ...result, next: null };
      // What was read may be gone meanwhile, and must not come back.
      if (turn !== started) {
        if (monotonicMs() > endMs) return result;
        continue;
      }
      if (!isDryRun && entries.length > 0) {
        const append = queue.append(entries);
        appending = append.catch(() => undefined);
        await append;
      }
      result.queued += entries.length;
      result.skipped += records.length - entries.length;
      result.next = next;
      if (next === null || monotonicMs() > endMs) return result;
      await setImmediate();
    }
  }

  return {
    run(request) {
      const result = last.then(() => runAlone(request));
      last = result.catch(() => undefined);
      return result;
    },
    async interrupt() {
      turn += 1;
      await appending;
    },
  };
}

/** Makes what turns a kept record into the callback's own, redacted for it as it stands now; null: it is not for it. */
function makeJudge({ targetNow, keepMetadata }: BackfillSource, callbackId: string) {
  const targets = new Map<string | null, Promise<PlannedTarget | null>>();

  return async function judge(retained: RetainedRecord): Promise<QueueEntry | null> {
    const { bodies, ...whose } = retained;
    const { keyHash, teamId } = whose;
    const asked = targets.get(keyHash) ?? targetNow(callbackId, { keyHash, teamId });
    targets.set(keyHash, asked);
    const [target, fullest] = [await asked, findFullest(bodies)];
    if (target === null || fullest === null) return null;
    const { record, liftedFrom, optedOut } = decodeRecord(fullest);
    const caller = { keyHash, keyAlias: record.caller.keyAlias };
    if (firing({ targets: [target], reason: null, mustLog: false }, { ...record, caller }).length === 0) return null;
    if (optedOut?.some((name) => isSameCallback(name, target.callbackName))) return null;
    const redaction = { level: target.redaction, classes: target.redactClasses ?? [] };
    const redacted = redactQueued({ record: withoutKeyInfo(record), liftedFrom }, redaction, keepMetadata);
    const body = encodeRecord({ record: redacted, liftedFrom, optedOut });
    return { ...whose, queuedAtMs: Date.now(), contents: [{ body, callbackIds: [callbackId] }] };
  };
}

/** Redaction leaves less text than there was, its own mark apart; null where no content opens. */
function findFullest(bodies: readonly string[]): string | null {
  const [first = null] = bodies
    .map((body) => ({ body, length: body.replaceAll(redactedText, "").length }))
    .toSorted((left, right) => right.length - left.length);
  return first?.body ?? null;
}
