/**
 * The contract of a queue engine. An engine keeps what it was given through the death of the process;
 * it knows nothing of destinations, and content is opaque text to it. All engines pass `contract.test.ts`.
 */

/** One distinct redaction result of a record, and the callbacks that receive it. */
export type QueueContent = {
  /** The record after redaction, as JSON. The engine compresses and seals it before it is stored. */
  body: string;
  callbackIds: readonly string[];
};

/** One record to keep. `recordId` is the identity: appending the same one again changes nothing. */
export type QueueEntry = {
  recordId: string;
  callId: string;
  teamId: string | null;
  keyHash: string | null;
  createdAtMs: number;
  /** When it was queued, where that was long after its call: its age and its turn count from then. */
  queuedAtMs?: number;
  contents: readonly QueueContent[];
};

/** One delivery that was handed out under a lease. */
export type ClaimedDelivery = {
  /** The engine's own number of the delivery; only valid with the lease that it came with. */
  deliveryId: number;
  recordId: string;
  callbackId: string;
  teamId: string | null;
  keyHash: string | null;
  createdAtMs: number;
  /** Since when its age counts: its creation, or its last replay. */
  ageFromMs: number;
  /** How often it was tried before. */
  tries: number;
  /** The content, opened and decompressed. */
  body: string;
};

/** How to hand out deliveries. */
export type ClaimRequest = {
  callbackId: string;
  limit: number;
  /** Stop adding once the contents handed out pass this, about, but hand out at least one. */
  bytesMax: number;
  /** After this long an unsettled delivery is handed out again. */
  leaseMs: number;
  nowMs: number;
};

/** What became of a claimed delivery. */
export type Settlement = { deliveryId: number } & (
  | (DestinationAnswer &
      (
        | { state: "delivered" | "dead" }
        /** Due again; `counted` says whether the try counts against the record's own limit. */
        | { state: "pending"; dueAtMs: number; counted: boolean }
      ))
  /** It was not tried: its lease ends, and its row stays as it is. */
  | { state: "released" }
);

/** What the destination answered: HTTP status (0: no answer) and its own words, without secrets, cut to 2 kB. */
type DestinationAnswer = { status: number; message: string };

/** A team of which everything is to be removed, or only its calls that began before a time. */
export type PurgedTeam = { teamId: string; createdBeforeMs?: number };

/** What to remove: of a team, of many teams at once, or what is pending of a callback. */
export type PurgeRequest = PurgedTeam | { teams: readonly PurgedTeam[] } | { callbackId: string };

/** What can have become of a delivery, in the order of the numbers that a local queue's file has for them. */
export const deliveryStates = ["pending", "delivered", "dead", "suppressed"] as const;

/** A delivery without its content. */
export type DeliveryRow = {
  recordId: string;
  callId: string;
  callbackId: string;
  teamId: string | null;
  keyHash: string | null;
  state: (typeof deliveryStates)[number];
  tries: number;
  createdAtMs: number;
  dueAtMs: number;
  settledAtMs: number | null;
  status: number | null;
  message: string | null;
};

/** Which deliveries: those that fit everything that is given. */
export type DeliveryFilter = {
  recordIds?: readonly string[];
  callbackIds?: readonly string[];
  teamIds?: readonly string[];
  states?: readonly DeliveryRow["state"][];
  createdFromMs?: number;
  createdBeforeMs?: number;
  /** Ranges of the destination's last HTTP status, both ends included; 0 stands for no answer. */
  statuses?: readonly { from: number; to: number }[];
};

/** Which deliveries to list, the newest first. `before` is the `next` of the page before, null for the first one. */
export type ListRequest = { filter: DeliveryFilter; before: number | null; limit: number };

/** A page. Where `next` is not null there may be more, also where this page is short or empty. */
export type DeliveryPage = { rows: DeliveryRow[]; next: number | null };

/**
 * Which deliveries to change. `replay`: dead letters, and pending deliveries that were tried or wait for a later time, are
 * due now, with no tries and a new age. `discard`: dead letters become suppressed, and their content goes.
 */
export type ReviseRequest = { filter: DeliveryFilter; action: "replay" | "discard"; nowMs: number };

/**
 * Which records to read again, the newest first: those of a team (null: of none), or of some of its keys alone, of which
 * a content is still kept and a callback has no delivery, in no state. `before` is the `next` of the page before.
 */
export type RetainedRequest = {
  teamId: string | null;
  keyHashes?: readonly string[];
  createdFromMs: number;
  missingAt: string;
  before: number | null;
  limit: number;
  /** Stop adding once the contents pass this, about, but answer with at least one record. */
  bytesMax: number;
};

/** A record with every content of it that is kept and opens: each as it was redacted for some callbacks. */
export type RetainedRecord = Pick<QueueEntry, "recordId" | "callId" | "teamId" | "keyHash" | "createdAtMs"> & {
  bodies: string[];
};

/** A page. Where `next` is not null there may be more, also where this page is short or empty. */
export type RetainedPage = { records: RetainedRecord[]; next: number | null };

/** A callback that has deliveries due, and since when. */
export type DueCallback = { callbackId: string; dueAtMs: number };

/** Which deliveries to look up. `due` answers which callbacks have work; `counts` those of all, or of some callbacks. */
export type FindRequest =
  { by: "record"; id: string } | { by: "call"; id: string } | { by: "due"; nowMs: number } | CountsRequest;

export type CountsRequest = { by: "counts"; callbackIds?: readonly string[] };

/** How many deliveries of a callback are in each state. */
export type DeliveryCounts = { callbackId: string; state: DeliveryRow["state"]; count: number };

/** What a queue takes on a disk: free room in its files and tables included, and what is settled and still kept. */
export type QueueSize = { place: "file" | "database"; bytes: number };

/** A callback whose destination failed in the last try, and what it answered. */
export type FailingCallback = { callbackId: string } & DestinationAnswer;

/**
 * Which pending deliveries are too old: their age counts from `ageFromMs` or earlier. `reason` says so in their message,
 * before the last answer of the destination: of the record's own last try, or the one in `failing`.
 */
export type BuryRequest = { ageFromMs: number; nowMs: number; reason: string; failing: readonly FailingCallback[] };

/** The engine contract. */
export type Queue = {
  /** Commits all entries together and resolves when they are safe, or throws and keeps none of them. */
  append(entries: readonly QueueEntry[]): Promise<void>;
  /** Hands out what is due for one callback, oldest first, under a lease. */
  claim(request: ClaimRequest): Promise<ClaimedDelivery[]>;
  /**
   * Records what became of claimed deliveries; content goes with its last open delivery, or where the engine was opened
   * to keep it, when `expire` finds it old.
   */
  settle(settlements: readonly Settlement[], nowMs: number): Promise<void>;
  /**
   * Removes what is pending, content first. Of a team every row goes, the settled ones too (a disabled team leaves no
   * row of a call); of a callback the pending ones become `suppressed`. Returns how many pending deliveries it removed.
   */
  purge(request: PurgeRequest): Promise<number>;
  find(request: { by: "record" | "call"; id: string }): Promise<DeliveryRow[]>;
  find(request: { by: "due"; nowMs: number }): Promise<DueCallback[]>;
  find(request: CountsRequest): Promise<DeliveryCounts[]>;
  list(request: ListRequest): Promise<DeliveryPage>;
  /** Changes what a request selects, and nothing else. Returns how many. */
  revise(request: ReviseRequest): Promise<number>;
  /**
   * What is due later than a time, which nothing should be, is due now, and a lease that ends later is over. Such times
   * come from a clock that was wrong, or from a version that let destinations ask for any wait.
   */
  hasten(request: { laterThanMs: number; nowMs: number }): Promise<void>;
  /**
   * Makes dead letters of deliveries that are too old and that are not about to be sent: they are due later, or their
   * destination is failing. What is handed out is left to its settlement. Returns how many, per callback.
   */
  buryAged(request: BuryRequest): Promise<{ callbackId: string; count: number }[]>;
  /** Reads records whose content is kept. */
  retained(request: RetainedRequest): Promise<RetainedPage>;
  /**
   * Removes settled rows that are older than the given times, and returns how many. Of delivered ones whose call began
   * before `contentBeforeMs` it removes the content that was kept.
   */
  expire(request: { deliveredBeforeMs: number; deadBeforeMs: number; contentBeforeMs: number }): Promise<number>;
  /** What the queue takes, in each place where it lies. */
  sizes(): Promise<QueueSize[]>;
  /** The process is stopping: from now on a commit that hangs soon goes to where it is safe. Absent if none can hang. */
  hurry?(): void;
  close(): Promise<void>;
};
