import { constants } from "node:fs";
import { access, mkdir, open, readdir, rm } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { UpstreamError } from "#lib/errors.ts";
import { destination } from "#logging/destinations/destination.ts";
import type { CheckResult, DeliveryContext, DeliveryResult } from "#logging/destinations/destination.ts";
import { toStandardLoggingPayload } from "#logging/destinations/standard-logging-payload.ts";
import type { LogRecord } from "#logging/record.ts";

const LocalFilesVars = z.object({
  local_files_dir: z.string().min(1).meta({ title: "Folder", description: "Where the daily files are written." }),
});

const fileBytesMax = 128 * 1024 * 1024;
const daysKept = 7;
const dayMs = 86_400_000;
const namePattern = /^(\d{4}-\d{2}-\d{2})(?:\.(\d+))?\.ndjson$/;

/**
 * Files on this machine, for the operator: one StandardLoggingPayload per line in `YYYY-MM-DD.ndjson` (UTC; the day's
 * next file is `YYYY-MM-DD.1.ndjson`), readable by the gateway's own user alone, on the disk before a batch counts as
 * delivered. At least once: a repeated line has the same `record_id`.
 */
export const localFiles = destination({
  label: "Local files",
  vars: LocalFilesVars,
  limits: { batchRecordsMax: 500, batchBytesMax: 8 * 1024 * 1024 },
  operatorOnly: true,
  targetVars: ["local_files_dir"],
  deliver: (records, vars, context) => appendRecords(records, vars.local_files_dir, context),
  check: (vars) => checkFolder(vars.local_files_dir),
  preview: (record, vars) => ({
    method: "APPEND",
    url: join(vars.local_files_dir, toFileName(toDay(new Date()), 0)),
    headers: {},
    body: toLines([record]),
  }),
});

/** Deletes the daily files that are older than seven days; a missing folder is fine. Also done with each new file. */
export async function pruneLocalFiles(dir: string, now = new Date()): Promise<void> {
  const oldest = toDay(new Date(now.getTime() - daysKept * dayMs));
  const names = await readdir(dir).catch(() => []);
  const old = names.filter((name) => (namePattern.exec(name)?.[1] ?? oldest) < oldest);
  await Promise.all(old.map((name) => rm(join(dir, name), { force: true })));
}

async function appendRecords(
  records: readonly LogRecord[],
  dir: string,
  context: DeliveryContext,
): Promise<DeliveryResult[]> {
  if (records.length === 0) return [];
  context.signal.throwIfAborted();
  const text = toLines(records);
  try {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    await using file = await openCurrentFile(dir);
    const size = await endLine(file);
    await file.appendFile(text);
    await file.datasync();
    if (size === 0) await settleNewFile(dir);
  } catch (error) {
    throw toDiskError(error, dir);
  }
  return records.map(() => ({ outcome: "delivered", status: 200 }));
}

function toLines(records: readonly LogRecord[]): string {
  return records.map((record) => `${JSON.stringify(toStandardLoggingPayload(record))}\n`).join("");
}

/** The day's newest file with room in it. */
async function openCurrentFile(dir: string): Promise<FileHandle> {
  const day = toDay(new Date());
  const numbers = (await readdir(dir)).flatMap((name) => {
    const match = namePattern.exec(name);
    return match?.[1] === day ? [Number(match[2] ?? 0)] : [];
  });
  const number = Math.max(0, ...numbers);
  const file = await open(join(dir, toFileName(day, number)), "a+", 0o600);
  if ((await file.stat()).size < fileBytesMax) return file;
  await file.close();
  return open(join(dir, toFileName(day, number + 1)), "a+", 0o600);
}

/** A crash can leave half a line: the next record starts a line of its own. Returns the size before that. */
async function endLine(file: FileHandle): Promise<number> {
  const { size } = await file.stat();
  if (size === 0) return 0;
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
  if (buffer.toString() !== "\n") await file.appendFile("\n");
  return size;
}

/** The name of a new file is on the disk only once its folder was synced. */
async function settleNewFile(dir: string): Promise<void> {
  await using folder = await open(dir, "r");
  await folder.sync();
  await pruneLocalFiles(dir);
}

async function checkFolder(dir: string): Promise<CheckResult> {
  try {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    await access(dir, constants.W_OK | constants.X_OK);
    return { state: "healthy", message: `Records are written to ${dir}`, target: dir };
  } catch (error) {
    return { state: "unhealthy", message: toDiskError(error, dir).message, target: dir };
  }
}

function toFileName(day: string, number: number): string {
  return number === 0 ? `${day}.ndjson` : `${day}.${String(number)}.ndjson`;
}

function toDay(date: Date): string {
  return date.toISOString().slice(0, 10);
}

function toDiskError(error: unknown, dir: string): UpstreamError {
  const code = error instanceof Error && "code" in error ? String(error.code) : "unknown fault";
  return new UpstreamError(0, `Cannot write to the folder ${dir} (${code})`, { fault: "destination", cause: error });
}
