import { parentPort, workerData } from "node:worker_threads";
import { PGlite } from "@electric-sql/pglite";
import { PGLiteSocketServer } from "@electric-sql/pglite-socket";
import { keepBatchesWhole } from "#lib/keep-batches-whole.ts";

/**
 * The thread in which the embedded PostgreSQL lives: PGlite behind a Unix socket that only this user may open.
 * It is an entry file: `embedded-postgres.ts` starts it with `{ dataDir, socketPath }` and ends it with `"stop"`.
 */

const { dataDir, socketPath } = readWorkerData(workerData);
// A gateway needs little of it: the default of 128 MB would only be memory that nobody reads.
const settings = { postgresqlconf: ["shared_buffers=16MB"] };
const database = keepBatchesWhole(await PGlite.create(dataDir === null ? settings : { dataDir, ...settings }));
const server = new PGLiteSocketServer({ db: database, path: socketPath, maxConnections: 32 });
await server.start();
parentPort?.postMessage("ready");
parentPort?.once("message", () => void stop());

async function stop(): Promise<void> {
  await server.stop();
  await database.close();
  parentPort?.postMessage("stopped");
  parentPort?.close();
}

function readWorkerData(data: unknown): { dataDir: string | null; socketPath: string } {
  if (typeof data === "object" && data !== null && "dataDir" in data && "socketPath" in data) {
    const { dataDir: directory, socketPath: path } = data;
    if ((typeof directory === "string" || directory === null) && typeof path === "string") {
      return { dataDir: directory, socketPath: path };
    }
  }
  throw new Error("The embedded database thread needs dataDir and socketPath.");
}
