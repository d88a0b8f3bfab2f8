import { readdirSync, readFileSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { expect, test } from "vitest";

/** The nice value of each thread of this process, of `man proc_pid_stat`. */
function niceOfThreads(): number[] {
  return readdirSync("/proc/self/task").map((thread) => {
    const stat = readFileSync(`/proc/self/task/${thread}/stat`, "utf8");
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[16]);
  });
}

test.runIf(process.platform === "linux")("a thread that lowers its priority lowers that of no other", async () => {
  const before = niceOfThreads();
  const file = new URL("thread-priority.ts", import.meta.url).href;
  const code = `import(${JSON.stringify(file)}).then(({ lowerThreadPriority }) => {
    lowerThreadPriority();
    require("node:worker_threads").parentPort.postMessage("lowered");
    setInterval(() => undefined, 1000);
  });`;
  const worker = new Worker(code, { eval: true });
  await new Promise((resolve, reject) => worker.once("message", resolve).once("error", reject));
  const raised = niceOfThreads().filter((nice) => nice === 5).length - before.filter((nice) => nice === 5).length;
  await worker.terminate();
  expect(raised).toBe(1);
  expect(niceOfThreads().filter((nice) => nice === 5)).toEqual(before.filter((nice) => nice === 5));
});
