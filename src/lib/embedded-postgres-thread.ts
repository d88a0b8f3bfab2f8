import { parentPort, workerData } from "node:worker_threads";
import { PGlite } from "@electric-sql/pglite";
import { PGLiteSocketServer } from "@electric-sql/pglite-socket";

/**
 * The thread in which the embedded PostgreSQL lives: PGlite behind a Unix socket that only this user may open.
 * It is an entry file: `embedded-postgres.ts` starts it with `{ dataDir, socketPath }` and ends it with `"stop"`.
 */

const { dataDir, socketPath } = readWorkerData(workerData);
const database = await PGlite.create(dataDir === null ? {} : { dataDir });
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
