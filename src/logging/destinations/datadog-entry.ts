import { shrinkJson } from "#logging/destinations/shrink-json.ts";
import { toStandardLoggingPayload } from "#logging/destinations/standard-logging-payload.ts";
import type { JsonObject, LogRecord } from "#logging/record.ts";

/** How the entries name their source; the defaults are LiteLLM's. */
export type DatadogNames = {
  source: string;
  service: string;
  environment: string;
  version: string;
};

/** Datadog cuts a log at 1 MB without telling, in the middle of its JSON. */
const entryBytesMax = 1_000_000;
/** A JSON text inside a JSON text is at most twice as long. */
const payloadBytesMax = 480_000;
const briefPayloadBytesMax = 32_000;

/** Datadog's limits: 100 tags a log, 200 characters a tag. */
const tagsMax = 100;
const tagCharactersMax = 200;

/**
 * The JSON text of a record's log entry, as LiteLLM sends it: the StandardLoggingPayload as the text of `message`,
 * with `record_id` in it, by which an owner finds a line that came twice.
 */
export function toDatadogEntry(record: LogRecord, names: DatadogNames, brief: boolean): string {
  const payload = toStandardLoggingPayload(record);
  if (brief) return toEntryText(record, names, shrinkJson(payload, briefPayloadBytesMax));
  const text = toEntryText(record, names, payload);
  if (text.length * 3 <= entryBytesMax || Buffer.byteLength(text) <= entryBytesMax) return text;
  return toEntryText(record, names, shrinkJson(payload, payloadBytesMax));
}

function toEntryText(record: LogRecord, names: DatadogNames, payload: JsonObject): string {
  return JSON.stringify({
    ddsource: names.source,
    ddtags: toTags(record, names),
    hostname: "",
    message: JSON.stringify(payload),
    service: names.service,
    status: record.status === "failure" ? "error" : "info",
  });
}

function toTags(record: LogRecord, names: DatadogNames): string {
  const team = record.caller.teamAlias ?? record.caller.teamId;
  const fixed = [
    toTag("env", names.environment),
    toTag("service", names.service),
    toTag("version", names.version),
    ...(team === null || team === "" ? [] : [toTag("team", team)]),
  ];
  const asked = record.requestTags.slice(0, tagsMax - fixed.length).map((tag) => toTag("request_tag", tag));
  return [...fixed, ...asked].join(",");
}

/** A comma would end a tag, and a client could so claim to be another team. */
function toTag(name: string, value: string): string {
  return `${name}:${value.replace(/[^\p{L}\p{N}_.:/-]/gu, "_")}`.slice(0, tagCharactersMax);
}
