import { parentPort, workerData } from "node:worker_threads";
import { LRUCache } from "lru-cache";
import { parsePrivateHosts, privateHostsState } from "#lib/address-private-hosts.ts";
import { configState } from "#lib/config.ts";
import { closeUpstreams } from "#lib/fetch-upstream.ts";
import { currentLogger, setLogger } from "#lib/logger.ts";
import { monotonicMs } from "#lib/monotonic.ts";
import { keyringState, makeKeyring } from "#lib/seal.ts";
import { lowerThreadPriority } from "#lib/thread-priority.ts";
import { makeBackfill } from "#logging/backfill.ts";
import { makeDeliverer } from "#logging/deliver.ts";
import type { ChangedPolicy } from "#logging/delivery.ts";
import type {
  DeliveryCalls,
  DeliveryQuestions,
  DeliveryThreadData,
  FromDeliveryThread,
  ToDeliveryThread,
} from "#logging/delivery-messages.ts";
import { openQueue } from "#logging/queue/open-queue.ts";
import type { QueueEntry } from "#logging/queue/queue.ts";
import { countUnopened } from "#logging/queue/unopened-contents.ts";
import type { Redaction } from "#logging/redaction-level.ts";
import type { ResolvedCallback } from "#logging/resolve-callback.ts";
import { makeThreadQuestions } from "#logging/thread-questions.ts";

/**
 * The delivery thread: owns the queue, claims, delivers, settles. It never sees the database: what it needs to
 * know of a callback it asks of the process. An entry file, started by `logging/delivery-thread.ts`.
 */

if (parentPort === null) throw new Error("worker.ts is started by the gateway, not by hand.");
const port = parentPort;
// eslint-disable-next-line @typescript-eslint/no-unsafe-assignment -- our own process made it, of this very type
const data: DeliveryThreadData = workerData;
const hourMs = 3_600_000;
/** No id has it: PostgreSQL's texts cannot. */
const idSeparator = "\u0000";

setLogger(data.logLevel);
lowerThreadPriority();
configState.set(data.config);
keyringState.set(makeKeyring(data.masterKeys));
privateHostsState.set(parsePrivateHosts(data.privateHosts));

const queue = await openQueue({
  path: data.queuePath,
  databaseUrl: data.queueDatabaseUrl,
  keyring: keyringState.get(),
  keepsContent: data.config.retention.content_hours > 0,
  // The next thread verifies the file, recovers what can be read, and commits what waits for its commit now.
  onDamage(error) {
    setImmediate(() => {
      throw error;
    });
  },
});
const disabledTeams = new Set(data.disabledTeamIds);
await queue.purge({ teams: [...[...disabledTeams].map((teamId) => ({ teamId })), ...data.purges] });
const holdUntilMs = monotonicMs() + (data.holdMs ?? 0);
let leaseUntilMs = data.needsLease ? 0 : Number.POSITIVE_INFINITY;
let leaseTimer: NodeJS.Timeout | undefined;
const resolved = new LRUCache<string, Promise<ResolvedCallback>>({ max: 5_000, ttl: 60_000 });
const redactions = new LRUCache<string, Promise<Redaction>>({ max: 20_000, ttl: 60_000 });

const questions = makeThreadQuestions<DeliveryQuestions>((id, name, request) => {
  port.postMessage({ type: "ask", id, name, request });
});

const { delivery, retention } = { delivery: data.config.general_settings.delivery, retention: data.config.retention };
const deliverer = makeDeliverer({
  queue,
  resolve: (callbackId) => remember(resolved, callbackId, () => questions.ask("resolve", { callbackId })),
  redactionNow: (callbackId, { keyHash, teamId }) =>
    remember(redactions, [callbackId, keyHash ?? "", teamId ?? ""].join(idSeparator), () =>
      questions.ask("redaction", { callbackId, keyHash, teamId }),
    ),
  isDisabled: (teamId) => disabledTeams.has(teamId),
  isFenced: () => monotonicMs() >= leaseUntilMs || monotonicMs() < holdUntilMs,
  numbers: {
    triesMax: delivery.tries_max,
    ageMaxMs: delivery.age_max_hours * hourMs,
    retryMinMs: delivery.retry_min_seconds * 1000,
    retryMaxMs: delivery.retry_max_seconds * 1000,
  },
  keepMetadata: data.config.litellm_settings.redaction_keep_metadata_keys,
});

const backfill = makeBackfill({
  queue,
  targetNow: (callbackId, { keyHash, teamId }) => questions.ask("target", { callbackId, keyHash, teamId }),
  isDisabled: (teamId) => disabledTeams.has(teamId),
  keepMetadata: data.config.litellm_settings.redaction_keep_metadata_keys,
});

const calls: {
  [Name in keyof DeliveryCalls]: (request: DeliveryCalls[Name]["request"]) => Promise<DeliveryCalls[Name]["answer"]>;
} = {
  async disableTeam({ teamId }) {
    disabledTeams.add(teamId);
    await endAppends();
    await backfill.interrupt();
    await deliverer.abortTeam(teamId);
    return queue.purge({ teamId });
  },
  async enableTeam({ teamId }) {
    disabledTeams.delete(teamId);
    return null;
  },
  async purgeTeam(request) {
    await endAppends();
    await backfill.interrupt();
    await deliverer.abortTeam(request.teamId);
    const purged = await queue.purge(request);
    // What was aborted is due again, and may have been claimed while it was being removed.
    await deliverer.abortTeam(request.teamId);
    return purged;
  },
  suppressCallback: ({ callbackId }) => queue.purge({ callbackId }),
  find: (request) => queue.find(request),
  list: (request) => queue.list(request),
  async revise(request) {
    const revised = await queue.revise(request);
    if (request.action === "replay" && revised > 0) deliverer.retryNow(request.filter.callbackIds);
    return revised;
  },
  async backfill(request) {
    const result = await backfill.run(request);
    if (result.queued > 0 && !request.isDryRun) deliverer.retryNow([request.callbackId]);
    return result;
  },
  health: async () => deliverer.takeHealth(),
  counts: (callbackIds) => queue.find({ by: "counts", ...(callbackIds === null ? {} : { callbackIds }) }),
  sizes: () => queue.sizes(),
  unopened: async () => countUnopened(),
  async stop({ deadlineMs }) {
    await endAppends();
    await backfill.interrupt();
    await deliverer.drain(deadlineMs);
    await queue.close();
    await closeUpstreams();
    return null;
  },
};

/** Groups of appends that arrived together: one commit takes them all. */
let waiting: { batch: number; entries: readonly QueueEntry[] }[] = [];

/** What is being committed: a purge beside it would not see it. */
const committing = new Set<Promise<void>>();

function flushAppends(): void {
  const commit = commitWaiting().finally(() => committing.delete(commit));
  committing.add(commit);
}

/** Resolves when all that came so far is committed, or was refused. */
async function endAppends(): Promise<void> {
  flushAppends();
  await Promise.all(committing);
}

async function commitWaiting(): Promise<void> {
  const group = waiting;
  if (group.length === 0) return;
  waiting = [];
  let error: string | undefined;
  try {
    const entries = group.flatMap((batch) => batch.entries);
    await queue.append(entries.filter(({ teamId }) => teamId === null || !disabledTeams.has(teamId)));
  } catch (cause) {
    error = cause instanceof Error ? cause.message : String(cause);
    currentLogger().error({ error }, "records could not be queued");
  }
  for (const { batch } of group) post({ type: "appended", batch, ...(error === undefined ? {} : { error }) });
  deliverer.wake();
}

port.on("message", (message: ToDeliveryThread) => {
  switch (message.type) {
    case "append":
      if (waiting.length === 0) setImmediate(flushAppends);
      waiting.push(message);
      break;
    case "forget":
      forget(message.changed);
      break;
    case "lease":
      extendLease(message.untilMs);
      break;
    case "hurry":
      queue.hurry?.();
      break;
    case "end-drain":
      deliverer.endDrain();
      break;
    case "tell":
      questions.settle(message);
      break;
    case "ask":
      void answer(message.id, () => call(message));
      break;
  }
});

const retentionTimer = setInterval(() => {
  const nowMs = Date.now();
  const dayMs = 24 * hourMs;
  void queue
    .expire({
      deliveredBeforeMs: nowMs - retention.deliveries_days * dayMs,
      deadBeforeMs: nowMs - retention.dead_letters_days * dayMs,
      contentBeforeMs: nowMs - retention.content_hours * hourMs,
    })
    .catch((error: unknown) => {
      currentLogger().error({ error: String(error) }, "old deliveries could not be removed");
    });
}, 60_000);
retentionTimer.unref();

post({ type: "ready" });

function call(message: Extract<ToDeliveryThread, { type: "ask" }>): Promise<unknown> {
  switch (message.name) {
    case "disableTeam":
      return calls.disableTeam(message.request);
    case "enableTeam":
      return calls.enableTeam(message.request);
    case "purgeTeam":
      return calls.purgeTeam(message.request);
    case "suppressCallback":
      return calls.suppressCallback(message.request);
    case "find":
      return calls.find(message.request);
    case "list":
      return calls.list(message.request);
    case "revise":
      return calls.revise(message.request);
    case "backfill":
      return calls.backfill(message.request);
    case "health":
      return calls.health(message.request);
    case "counts":
      return calls.counts(message.request);
    case "sizes":
      return calls.sizes(message.request);
    case "unopened":
      return calls.unopened(message.request);
    case "stop":
      return calls.stop(message.request);
  }
}

/** Forgets what is kept of callbacks and redactions; of everything where nobody says what was changed. */
function forget(changed: ChangedPolicy | undefined): void {
  if (changed === undefined) {
    resolved.clear();
    redactions.clear();
    deliverer.retryNow();
    return;
  }
  const changedIds = new Set([...changed.callbackIds, ...changed.keyHashes, ...changed.teamIds]);
  for (const callbackId of changed.callbackIds) resolved.delete(callbackId);
  for (const key of redactions.keys()) {
    if (key.split(idSeparator).some((id) => changedIds.has(id))) redactions.delete(key);
  }
  deliverer.retryNow(changed.callbackIds);
}

/** Nothing is sent after the lease: what is in flight then is aborted, and waits for the next one. */
function extendLease(untilMs: number): void {
  const wasFenced = monotonicMs() >= leaseUntilMs;
  leaseUntilMs = Math.max(leaseUntilMs, untilMs);
  clearTimeout(leaseTimer);
  leaseTimer = setTimeout(
    () => {
      currentLogger().warn("the database cannot be reached, so nothing is sent for now");
      deliverer.abortAll("The gateway has lost its lease.");
    },
    Math.max(0, leaseUntilMs - monotonicMs()),
  );
  leaseTimer.unref();
  if (wasFenced) deliverer.wake();
}

async function answer(id: number, work: () => Promise<unknown>): Promise<void> {
  try {
    post({ type: "tell", id, value: await work() });
  } catch (error) {
    post({ type: "tell", id, error: error instanceof Error ? error.message : String(error) });
  }
}

function post(message: FromDeliveryThread): void {
  port.postMessage(message);
}

/** Keeps what was asked; a question that failed is not kept. */
function remember<Value extends object | string>(
  cache: LRUCache<string, Promise<Value>>,
  key: string,
  ask: () => Promise<Value>,
): Promise<Value> {
  const known = cache.get(key);
  if (known) return known;
  const asked = ask();
  cache.set(key, asked);
  asked.catch(() => cache.delete(key));
  return asked;
}
