import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { threadId } from "node:worker_threads";

// Loaded into a server under test by `node --import`, in each of its threads: while a file `measure` lies in the folder,
// it collects garbage and writes what keeps the thread alive and how much it holds.
const folder = process.env.E2E_RESOURCES_DIR ?? "";
setFlagsFromString("--expose-gc");
const collectGarbage: unknown = runInNewContext("gc");

setInterval(() => {
  if (!existsSync(join(folder, "measure"))) return;
  if (typeof collectGarbage === "function") Reflect.apply(collectGarbage, undefined, []);
  const { heapUsed, external } = process.memoryUsage();
  const resources = process.getActiveResourcesInfo();
  const count = (name: RegExp): number => resources.filter((resource) => name.test(resource)).length;
  const seen = { timers: count(/^(Timeout|Immediate)$/), sockets: count(/TCP|Pipe/), heapBytes: heapUsed + external };
  writeFileSync(join(folder, `${String(threadId)}.json`), JSON.stringify(seen));
}, 500).unref();
