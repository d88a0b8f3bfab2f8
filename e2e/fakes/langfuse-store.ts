import type { IngestionEvent } from "./langfuse-ingestion.ts";
import type { RawSpan } from "./langfuse-otlp.ts";
import { decodeSpan } from "./langfuse-span.ts";
import type { DecodedSpan } from "./langfuse-span.ts";

/**
 * What one project of the fake has stored. Spans replace each other as in Langfuse's table: those with the same trace
 * id, span id and start time are one.
 */

/** A stored span; `receivedCount` says how often it was sent. */
export type StoredSpan = DecodedSpan & { receivedCount: number; receivedAtMs: number };

/** An entity of the old batch: bodies with the same id merged, the later timestamp wins. */
export type StoredEntity = { id: string; kind: "trace" | "observation"; body: Record<string, unknown> };

/** One project's content. */
export type ProjectStore = {
  spans: Map<string, StoredSpan>;
  entities: Map<string, StoredEntity & { timestamp: string; receivedCount: number }>;
};

/** How much a project holds. */
export type StoreCounts = {
  /** Distinct spans, and observations of the old batch. */
  distinct: number;
  /** Everything that was accepted, repetitions included. */
  received: number;
  duplicates: number;
};

/** An empty project. */
export function makeStore(): ProjectStore {
  return { spans: new Map(), entities: new Map() };
}

/** Stores spans; a repetition replaces what was there. */
export function storeSpans(store: ProjectStore, spans: readonly RawSpan[]): void {
  for (const span of spans) {
    const decoded = decodeSpan(span);
    const key = `${decoded.startTime}|${span.traceId}|${span.spanId}`;
    const receivedCount = (store.spans.get(key)?.receivedCount ?? 0) + 1;
    store.spans.set(key, { ...decoded, receivedCount, receivedAtMs: Date.now() });
  }
}

/** Stores the events of an old batch: creates before updates, each by their time. */
export function storeEvents(store: ProjectStore, events: readonly IngestionEvent[]): void {
  const rank = (event: IngestionEvent) => (event.type.endsWith("-update") ? "1" : "0") + event.timestamp;
  for (const event of events.toSorted((left, right) => (rank(left) < rank(right) ? -1 : 1))) {
    const id = String(event.body.id);
    const kind = event.type === "trace-create" ? "trace" : "observation";
    const previous = store.entities.get(`${kind}|${id}`);
    const given = Object.fromEntries(Object.entries(event.body).filter(([, value]) => value !== null));
    const isLater = !previous || Date.parse(event.timestamp) >= Date.parse(previous.timestamp);
    store.entities.set(`${kind}|${id}`, {
      id,
      kind,
      body: isLater ? { ...previous?.body, ...given } : { ...given, ...previous.body },
      timestamp: isLater ? event.timestamp : previous.timestamp,
      receivedCount: (previous?.receivedCount ?? 0) + 1,
    });
  }
}

/** The merged entities of one kind. */
export function entitiesOf(store: ProjectStore, kind: StoredEntity["kind"]): StoredEntity[] {
  return [...store.entities.values()].filter((entity) => entity.kind === kind);
}

/** Counts spans, and the observations of the old batch. */
export function countStore(store: ProjectStore): StoreCounts {
  const counts = [...store.spans.values(), ...store.entities.values()]
    .filter((stored) => !("kind" in stored) || stored.kind !== "trace")
    .map((stored) => stored.receivedCount);
  const received = counts.reduce((sum, count) => sum + count, 0);
  return { distinct: counts.length, received, duplicates: received - counts.length };
}

/**
 * How often each call arrived, by the metadata key `litellm_call_id`, repetitions and further spans of the same call
 * included; calls without it are counted under the empty name.
 */
export function countCalls(store: ProjectStore): Record<string, number> {
  const calls: Record<string, number> = {};
  const count = (metadata: unknown, times: number) => {
    const id = typeof metadata === "object" && metadata !== null && "litellm_call_id" in metadata;
    const name = id ? String(metadata.litellm_call_id) : "";
    calls[name] = (calls[name] ?? 0) + times;
  };
  for (const span of store.spans.values()) count(span.metadata, span.receivedCount);
  for (const entity of store.entities.values()) {
    if (entity.kind === "observation") count(entity.body.metadata, entity.receivedCount);
  }
  return calls;
}
