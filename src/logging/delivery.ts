import { stateCell } from "#lib/state.ts";
import type { BackfillRequest, BackfillResult } from "#logging/backfill.ts";
import type { DestinationHealth } from "#logging/destination-health.ts";
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

/** What was changed, by its ids. */
export type ChangedPolicy = {
  callbackIds: readonly string[];
  keyHashes: readonly string[];
  teamIds: readonly string[];
};

/** The delivery worker as the rest of the process sees it. */
export type Delivery = {
  /** Resolves when the entry is safe on disk; throws where it could not be kept. */
  append(entry: QueueEntry): Promise<void>;
  /**
   * Stops a team's logging: nothing more is queued or sent, what is pending goes, what is in flight is aborted. Resolves
   * with how many pending deliveries were removed, once all of that has happened.
   */
  disableTeam(teamId: string): Promise<number>;
  /** Lets a team's records be queued and sent again. */
  enableTeam(teamId: string): Promise<void>;
  /** True between `disableTeam` and `enableTeam`; asked for every record. */
  isDisabled(teamId: string): boolean;
  /** The teams for which `isDisabled` is true. */
  disabledTeamIds(): readonly string[];
  /**
   * Removes what a team's calls that began before a time have left, and aborts what is in flight for the team, which is
   * then sent again unless it was removed. Resolves with how many pending deliveries were removed.
   */
  purgeTeam(request: { teamId: string; createdBeforeMs: number }): Promise<number>;
  /** A callback was deleted: its pending records are suppressed. */
  suppressCallback(callbackId: string): Promise<number>;
  /** Callbacks, keys or teams were changed, all of them or the given ones: the next delivery reads them anew. */
  forgetCallbacks(changed?: ChangedPolicy): void;
  /**
   * Until when, on the clock of `monotonicMs`, what this process knows of teams and callbacks may be acted on. After
   * that records are still queued, and none is sent.
   */
  extendLease(untilMs: number): void;
  find(request: { by: "record" | "call"; id: string }): Promise<DeliveryRow[]>;
  /** A page of deliveries, the newest first. */
  list(request: ListRequest): Promise<DeliveryPage>;
  /** Replays or discards dead letters, and returns how many. Replayed ones are sent soon, also where a circuit is open. */
  revise(request: ReviseRequest): Promise<number>;
  /** Queues records that are kept for a callback that never had them, a part of them at a time. */
  backfill(request: BackfillRequest): Promise<BackfillResult>;
  /** How many deliveries are in each state, of every callback or of these. */
  counts(callbackIds?: readonly string[]): Promise<DeliveryCounts[]>;
  /** What the queue takes on a disk, in each place where it lies. */
  sizes(): Promise<QueueSize[]>;
  /** Contents that could not be opened since the delivery thread started. */
  unopened(): Promise<UnopenedContents[]>;
  /** How the destinations do, as far as this gateway delivers to them, since it was last asked. */
  health(): Promise<DestinationHealth[]>;
  /** The process is stopping: records that the database does not take soon are committed to the local file. */
  hurry(): void;
  /**
   * Delivers what is due until nothing is or the time is over, then closes the queue. Resolves soon after that time,
   * whatever hangs; what is appended afterwards is refused. Nothing more is sent once `hurry` is aborted.
   */
  stop(deadlineMs: number, hurry?: AbortSignal): Promise<void>;
};

/** The delivery worker of this process. */
export const deliveryState = stateCell<Delivery>("delivery");
