import type {
  CountsRequest,
  DeliveryCounts,
  DeliveryRow,
  DueCallback,
  FindRequest,
  Queue,
} from "#logging/queue/queue.ts";

/** What an engine can look up, each in its own way. */
export type Lookups = {
  findRows(request: { by: "record" | "call"; id: string }): DeliveryRow[] | Promise<DeliveryRow[]>;
  findDue(nowMs: number): DueCallback[] | Promise<DueCallback[]>;
  /** Of all callbacks, or of these. */
  findCounts(callbackIds?: readonly string[]): DeliveryCounts[] | Promise<DeliveryCounts[]>;
};

/** Makes the `find` of the queue contract from an engine's look-ups. */
export function toFind({ findRows, findDue, findCounts }: Lookups): Queue["find"] {
  function find(request: { by: "record" | "call"; id: string }): Promise<DeliveryRow[]>;
  function find(request: { by: "due"; nowMs: number }): Promise<DueCallback[]>;
  function find(request: CountsRequest): Promise<DeliveryCounts[]>;
  async function find(request: FindRequest): Promise<DeliveryRow[] | DueCallback[] | DeliveryCounts[]> {
    if (request.by === "due") return findDue(request.nowMs);
    if (request.by === "counts") return findCounts(request.callbackIds);
    return findRows(request);
  }
  return find;
}
