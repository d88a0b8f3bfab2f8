import type { Db } from "#lib/db.ts";
import { version } from "#lib/version.ts";
import { deliveryState } from "#logging/delivery.ts";
import { nameCallbacks } from "#logging/name-callbacks.ts";
import { type DamageReport, queuePathState, readReports } from "#logging/queue/local-reports.ts";
import { deliveryStates } from "#logging/queue/queue.ts";
import { unopenedValuesState } from "#logging/sealed/unopened-values.ts";

/**
 * The figures of the queue in Prometheus' text format, per kind of callback. No team, key or callback id is in it, so
 * the number of lines does not grow with them.
 */
export async function readMetrics(db: Db): Promise<string> {
  const delivery = deliveryState.get();
  const [counts, sizes, unopened] = await Promise.all([delivery.counts(), delivery.sizes(), delivery.unopened()]);
  const names = await nameCallbacks(
    db,
    counts.map(({ callbackId }) => callbackId),
  );
  const totals = new Map<string, number>();
  for (const { callbackId, state, count } of counts) {
    const key = `${names.get(callbackId) ?? "deleted"} ${state}`;
    totals.set(key, (totals.get(key) ?? 0) + count);
  }
  const kinds = [...new Set([...totals.keys()].map((key) => key.slice(0, key.lastIndexOf(" "))))].toSorted();
  const deliveries = kinds.flatMap((kind) =>
    deliveryStates.map((state) => ({ labels: { callback: kind, state }, value: totals.get(`${kind} ${state}`) ?? 0 })),
  );
  return [
    ...toGauge("sluice_info", "The running version.", [{ labels: { version }, value: 1 }]),
    ...toGauge("sluice_uptime_seconds", "Seconds since the process started.", [
      { labels: {}, value: process.uptime() },
    ]),
    ...toGauge("sluice_resident_memory_bytes", "Memory of the process.", [
      { labels: {}, value: process.memoryUsage.rss() },
    ]),
    ...toGauge("sluice_deliveries", "Deliveries that the queue holds, by callback kind and state.", deliveries),
    ...toGauge(
      "sluice_queue_bytes",
      "What the queue takes on the disk, kept contents included.",
      sizes.map(({ place, bytes }) => ({ labels: { place }, value: bytes })),
    ),
    ...damageGauges(),
    ...toGauge(
      "sluice_unopened_contents",
      "Queued contents that could not be opened since the delivery thread started, by the key that is missing.",
      unopened.map(({ keyId, count }) => ({ labels: { key_id: keyId }, value: count })),
    ),
    ...toGauge(
      "sluice_unopened_values",
      "Stored values that no configured encryption key opens, by kind and key.",
      (unopenedValuesState.find() ?? []).map(({ kind, keyId, reason, count }) => ({
        labels: { kind, key_id: keyId, reason: reason ?? "" },
        value: count,
      })),
    ),
    "",
  ].join("\n");
}

/** The damages of the queue file that its reports know of. What nobody could count is not in `lost`. */
function damageGauges(): string[] {
  const path = queuePathState.find();
  const reports = path === undefined ? [] : readReports(path);
  const sum = (pick: (report: DamageReport) => number): Sample[] => [
    { labels: {}, value: reports.reduce((total, report) => total + pick(report), 0) },
  ];
  const lastSeconds = Math.floor(Date.parse(reports.at(-1)?.at ?? "1970-01-01") / 1000);
  return [
    ...toGauge(
      "sluice_queue_file_damages",
      "Times that the queue file was found damaged or lost, 20 at most.",
      sum(() => 1),
    ),
    ...toGauge(
      "sluice_queue_file_recovered_deliveries",
      "Waiting deliveries that were recovered from damaged or lost queue files.",
      sum(({ recovered }) => recovered),
    ),
    ...toGauge(
      "sluice_queue_file_lost_deliveries",
      "Waiting deliveries that could not be recovered, or not with their content.",
      sum(({ lost }) => lost ?? 0),
    ),
    ...toGauge("sluice_queue_file_damaged_timestamp_seconds", "When it was last found; 0: never.", [
      { labels: {}, value: lastSeconds },
    ]),
  ];
}

type Sample = { labels: Readonly<Record<string, string>>; value: number };

function toGauge(name: string, help: string, samples: readonly Sample[]): string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} gauge`, ...samples.map((sample) => toLine(name, sample))];
}

function toLine(name: string, { labels, value }: Sample): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escapeLabel(text)}"`);
  return `${name}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${String(value)}`;
}

function escapeLabel(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
