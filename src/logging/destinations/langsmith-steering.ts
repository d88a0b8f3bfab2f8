import { derivedHex } from "#lib/id.ts";
import type { Json, LogRecord } from "#logging/record.ts";

/** A run's place in its trace, as LangSmith wants it: the three ids agree with each other and with the dotted order. */
export type LangsmithPlace = {
  id: string;
  traceId: string;
  parentRunId: string | null;
  /** Time and id of every run from the root to this one. */
  dottedOrder: string;
};

/** What the client's metadata says about its run. Null: nothing, or nothing usable. */
export type LangsmithSteering = {
  place: LangsmithPlace;
  name: string | null;
  project: string | null;
  /** The id of a project, which LangSmith calls a session. */
  sessionId: string | null;
};

const uuid = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";
const uuidPattern = new RegExp(`^${uuid}$`);
const dottedOrderPattern = new RegExp(`^\\d{8}T\\d{12}Z${uuid}(\\.\\d{8}T\\d{12}Z${uuid})*$`);
const textCharactersMax = 200;
const dottedOrderCharactersMax = 8_000;

/** The place of a run of which the client says nothing: a trace of its own, with an id that nobody chose. */
export function toOwnPlace(record: LogRecord, callbackId: string): LangsmithPlace {
  return toRoot(record, toRunId(record, callbackId));
}

/**
 * Reads LiteLLM's LangSmith steering out of the client's metadata. Nothing in there can make it throw: what is no id,
 * or contradicts the rest, is ignored. A parent counts only with a `dotted_order`, the run's own or its parent's,
 * because LangSmith refuses a child whose ancestors it cannot read from there.
 */
export function readLangsmithSteering(record: LogRecord, callbackId: string): LangsmithSteering {
  const given = record.requesterMetadata;
  return {
    place: readPlace(record, callbackId),
    name: toText(given["run_name"]),
    project: toText(given["project_name"]),
    sessionId: toUuid(given["session_id"]),
  };
}

function readPlace(record: LogRecord, callbackId: string): LangsmithPlace {
  const given = record.requesterMetadata;
  const parentRunId = toUuid(given["parent_run_id"]);
  const asked = toUuid(given["run_id"]) ?? toUuid(given["id"]);
  const dottedOrder = toDottedOrder(given["dotted_order"]);
  const ids = dottedOrder === null ? [] : dottedOrder.split(".").map((part) => part.slice(part.indexOf("Z") + 1));
  const [traceId] = ids;
  const last = ids.at(-1);
  if (dottedOrder === null || traceId === undefined || last === undefined) {
    return toRoot(record, asked ?? toRunId(record, callbackId));
  }
  const parent = ids.at(-2) ?? null;
  const isOwn = last === asked || (asked === null && parentRunId !== null && parentRunId === parent);
  if (isOwn) return { id: last, traceId, parentRunId: parent, dottedOrder };
  const id = asked ?? toRunId(record, callbackId);
  return { id, traceId, parentRunId: last, dottedOrder: `${dottedOrder}.${toSegment(record, id)}` };
}

function toRoot(record: LogRecord, id: string): LangsmithPlace {
  return { id, traceId: id, parentRunId: null, dottedOrder: toSegment(record, id) };
}

/** A UUIDv7, which LangSmith wants: the call's start, and bits derived from the record and the callback. */
function toRunId(record: LogRecord, callbackId: string): string {
  const time = Math.floor(record.startTimeMs).toString(16).padStart(12, "0");
  const bits = derivedHex([record.recordId, callbackId, "langsmith run"], 10);
  const variant = ((Number.parseInt(bits.slice(3, 4), 16) & 3) | 8).toString(16);
  return [time.slice(0, 8), time.slice(8), `7${bits.slice(0, 3)}`, variant + bits.slice(4, 7), bits.slice(7, 19)].join(
    "-",
  );
}

/** The start in UTC to the microsecond, then the id: `20250116T192855125002Z<uuid>`. */
function toSegment(record: LogRecord, id: string): string {
  return `${toLangsmithTime(record.startTimeMs).replace(/[-:.]/g, "")}${id}`;
}

/** An ISO time in UTC to the microsecond. */
export function toLangsmithTime(ms: number): string {
  const microseconds = Math.round(ms * 1000);
  const iso = new Date(Math.floor(microseconds / 1000)).toISOString();
  return `${iso.slice(0, -1)}${String(microseconds % 1000).padStart(3, "0")}Z`;
}

function toUuid(value: Json | undefined): string | null {
  if (typeof value !== "string") return null;
  const id = value.trim().toLowerCase();
  return uuidPattern.test(id) ? id : null;
}

function toDottedOrder(value: Json | undefined): string | null {
  if (typeof value !== "string" || value.length > dottedOrderCharactersMax) return null;
  const parts = value.trim().split(".");
  const text = parts.map((part) => part.slice(0, 22) + part.slice(22).toLowerCase()).join(".");
  return dottedOrderPattern.test(text) ? text : null;
}

function toText(value: Json | undefined): string | null {
  if (typeof value !== "string") return null;
  const text = value.trim();
  return text === "" || text.length > textCharactersMax ? null : text;
}
