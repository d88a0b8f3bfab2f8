import { readFileSync, readdirSync } from "node:fs";

/** What the kernel says about a process group (Linux). */
export type GroupUsage = {
  /** CPU time of all its processes and threads, and of children that were waited for, in microseconds. */
  cpuUs: number;
  /** Resident memory of all its processes, in bytes. */
  rssBytes: number;
};

// The kernel counts in USER_HZ, which is 100 on every Linux architecture that Node runs on.
const tickUs = 10_000;
const pageBytes = 4096;

/** Sums what /proc says about the processes of a group. */
export function measureGroup(groupId: number): GroupUsage {
  return measureProcesses(({ fields }) => Number(fields[2]) === groupId);
}

/** The same of a process and its children, each of which may be a group of its own. */
export function measureChildren(parentId: number): GroupUsage {
  return measureProcesses(({ pid, fields }) => pid === parentId || Number(fields[1]) === parentId);
}

function measureProcesses(isMeant: (process: { pid: number; fields: string[] }) => boolean): GroupUsage {
  const usage = { cpuUs: 0, rssBytes: 0 };
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const fields = readStat(name);
    // Of `man proc_pid_stat`, counted from field 3 on: ppid 4, pgrp 5, utime 14, stime 15, cutime 16, cstime 17, rss 24.
    if (!isMeant({ pid: Number(name), fields })) continue;
    for (const index of [11, 12, 13, 14]) usage.cpuUs += Number(fields[index]) * tickUs;
    usage.rssBytes += Number(fields[21]) * pageBytes;
  }
  return usage;
}

/** The fields after the command, which may hold spaces and stands in brackets. */
function readStat(pid: string): string[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  } catch {
    return [];
  }
}

/** The value below which `share` (0 to 1) of the sorted values lie; 0 where there are none. */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

/** The middle value; of an even number of values the mean of the middle two. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? 0) + (sorted[Math.ceil(middle)] ?? 0)) / 2;
}
