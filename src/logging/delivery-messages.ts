import type { Config } from "#lib/config.ts";
import type { BackfillRequest, BackfillResult } from "#logging/backfill.ts";
import type { ChangedPolicy } from "#logging/delivery.ts";
import type { DestinationHealth } from "#logging/destination-health.ts";
import type { PlannedTarget } from "#logging/log-plan.ts";
import type {
  DeliveryCounts,
  DeliveryPage,
  DeliveryRow,
  ListRequest,
  QueueEntry,
  QueueSize,
  ReviseRequest,
} from "#logging/queue/queue.ts";
import type { UnopenedContents } from "#logging/queue/unopened-contents.ts";
import type { Redaction } from "#logging/redaction-level.ts";
import type { ResolvedCallback } from "#logging/resolve-callback.ts";

/** What the delivery thread is started with. */
export type DeliveryThreadData = {
  queuePath: string;
  /** The PostgreSQL that all gateways share their queue in; null: each has its own, in the file alone. */
  queueDatabaseUrl: string | null;
  masterKeys: readonly string[];
  config: Config;
  privateHosts: readonly string[];
  disabledTeamIds: readonly string[];
  /** What is to be removed before anything is sent: teams were disabled while this process was not there. */
  purges: readonly { teamId: string; createdBeforeMs: number }[];
  /** Whether nothing may be sent before and after a lease. */
  needsLease: boolean;
  /** For how long after its start nothing is sent, in milliseconds: threads before it ended again and again. */
  holdMs?: number;
  logLevel: string;
};

/** What the process asks of its delivery thread, and what comes back. */
export type DeliveryCalls = {
  disableTeam: { request: { teamId: string }; answer: number };
  enableTeam: { request: { teamId: string }; answer: null };
  purgeTeam: { request: { teamId: string; createdBeforeMs: number }; answer: number };
  suppressCallback: { request: { callbackId: string }; answer: number };
  find: { request: { by: "record" | "call"; id: string }; answer: DeliveryRow[] };
  list: { request: ListRequest; answer: DeliveryPage };
  revise: { request: ReviseRequest; answer: number };
  backfill: { request: BackfillRequest; answer: BackfillResult };
  counts: { request: readonly string[] | null; answer: DeliveryCounts[] };
  sizes: { request: null; answer: QueueSize[] };
  unopened: { request: null; answer: UnopenedContents[] };
  health: { request: null; answer: DestinationHealth[] };
  stop: { request: { deadlineMs: number }; answer: null };
};

/** What the delivery thread asks of the process, which has the database. */
export type DeliveryQuestions = {
  resolve: { request: { callbackId: string }; answer: ResolvedCallback };
  redaction: {
    request: { callbackId: string; keyHash: string | null; teamId: string | null };
    answer: Redaction;
  };
  target: {
    request: { callbackId: string; keyHash: string | null; teamId: string | null };
    answer: PlannedTarget | null;
  };
};

type Asked<Calls extends Record<string, { request: unknown }>> = {
  [Name in keyof Calls]: { type: "ask"; id: number; name: Name; request: Calls[Name]["request"] };
}[keyof Calls];

type Told = { type: "tell"; id: number; value?: unknown; error?: string };

/** From the process to its delivery thread. */
export type ToDeliveryThread =
  | { type: "append"; batch: number; entries: readonly QueueEntry[] }
  | { type: "forget"; changed?: ChangedPolicy }
  | { type: "lease"; untilMs: number }
  | { type: "hurry" }
  | { type: "end-drain" }
  | Asked<DeliveryCalls>
  | Told;

/** From the delivery thread to its process. */
export type FromDeliveryThread =
  { type: "ready" } | { type: "appended"; batch: number; error?: string } | Asked<DeliveryQuestions> | Told;
