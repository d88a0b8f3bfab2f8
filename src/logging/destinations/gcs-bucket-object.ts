import { derivedHex } from "#lib/id.ts";
import type { GcsTarget } from "#logging/destinations/gcs-bucket-target.ts";
import { toStandardLoggingPayload } from "#logging/destinations/standard-logging-payload.ts";
import type { LogRecord } from "#logging/record.ts";

/** One object to store, and the records that it holds. */
export type GcsObject = {
  name: string;
  contentType: string;
  /** Custom metadata; `identityName` names the entry that tells whether a stored object is this one. */
  metadata: Record<string, string>;
  identityName: "record_id" | "batch_id";
  records: readonly LogRecord[];
};

const schema = "slp-1";
const labelCharactersMax = 128;
const teamIdCharactersMax = 512;

/**
 * The objects that records become. `per_call`: `{date}/{response id}_{record id}-{callback}.json`, `failure_…` for
 * failures, `custom-{id}_…` where the request's metadata has `gcs_log_id`. `batch`: `{date}/batch-{id}.ndjson`, one for
 * each day and team. Dates are the calls' own, in UTC; a name depends on records and callback alone, so the same records
 * have the same name at every try, and no two callbacks share one.
 */
export function toGcsObjects(
  records: readonly LogRecord[],
  { prefix, layout }: Pick<GcsTarget, "prefix" | "layout">,
  callbackId: string,
): GcsObject[] {
  if (layout === "per_call") return records.map((record) => toCallObject(record, prefix, callbackId));
  const groups = Map.groupBy(records, (record) => JSON.stringify([toDay(record), record.caller.teamId]));
  return [...groups.values()].map((group) => toBatchObject(group, prefix, callbackId));
}

/** The object's content: StandardLoggingPayloads, one to a line. */
export function toGcsContent(object: GcsObject): Buffer {
  return Buffer.from(object.records.map((record) => JSON.stringify(toStandardLoggingPayload(record))).join("\n"));
}

function toCallObject(record: LogRecord, prefix: string, callbackId: string): GcsObject {
  const suffix = `${record.recordId}-${derivedHex([callbackId], 4)}`;
  return {
    name: `${prefix}${toDay(record)}/${toLabel(record)}_${suffix}.json`,
    contentType: "application/json",
    metadata: { team_id: toTeamId(record), schema, record_id: record.recordId },
    identityName: "record_id",
    records: [record],
  };
}

function toBatchObject(records: readonly LogRecord[], prefix: string, callbackId: string): GcsObject {
  const [first] = records;
  const recordIds = records.map((record) => record.recordId).toSorted();
  const batchId = derivedHex([callbackId, ...recordIds], 16);
  return {
    name: `${prefix}${first ? toDay(first) : ""}/batch-${batchId}.ndjson`,
    contentType: "application/x-ndjson",
    metadata: {
      team_id: first ? toTeamId(first) : "",
      schema,
      batch_id: batchId,
      records: String(records.length),
    },
    identityName: "batch_id",
    records,
  };
}

/** The part of a name that people look for. Clients and upstreams choose it, so it is cleaned and identifies nothing. */
function toLabel(record: LogRecord): string {
  const custom = record.requesterMetadata["gcs_log_id"];
  if (typeof custom === "string" && custom !== "") return `custom-${toNamePart(custom)}`;
  if (record.status === "failure") return "failure";
  return record.responseId === null || record.responseId === "" ? "call" : toNamePart(record.responseId);
}

function toNamePart(text: string): string {
  return text.replace(/[^A-Za-z0-9._-]/g, "_").slice(0, labelCharactersMax);
}

function toDay(record: LogRecord): string {
  return new Date(record.startTimeMs).toISOString().slice(0, 10);
}

function toTeamId(record: LogRecord): string {
  return (record.caller.teamId ?? "").slice(0, teamIdCharactersMax);
}
