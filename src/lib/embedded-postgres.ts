import "#lib/v8-flags.ts";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Worker } from "node:worker_threads";

/** A running embedded PostgreSQL: where to connect, and how to end it. */
export type EmbeddedPostgres = {
  /** The folder of the Unix socket, which PostgreSQL clients take as a host. */
  socketDir: string;
  port: number;
  /** Called once if the database thread ends without being asked to. */
  onFailure(listener: (error: Error) => void): void;
  stop(): Promise<void>;
};

/** Every PostgreSQL client derives the socket's file name from the port. */
const socketPort = 5432;

/**
 * Starts PGlite in a thread of its own, with its data in `dataDir` (null: in memory), behind a Unix socket in a new
 * folder of mode 0700. One backend serves all connections, so transactions run one after another.
 */
export async function startEmbeddedPostgres(dataDir: string | null): Promise<EmbeddedPostgres> {
  if (dataDir !== null) mkdirSync(dirname(dataDir), { recursive: true, mode: 0o700 });
  const socketDir = mkdtempSync(join(tmpdir(), "sluice-"));
  const socketPath = join(socketDir, `.s.PGSQL.${String(socketPort)}`);
  const worker = new Worker(new URL("./embedded-postgres-thread.ts", import.meta.url), {
    workerData: { dataDir, socketPath },
    name: "embedded-postgres",
  });
  let stopping = false;
  const listeners: ((error: Error) => void)[] = [];
  let failure: Error | null = null;
  const fail = (error: Error): void => {
    failure ??= error;
    if (!stopping) for (const listener of listeners) listener(error);
  };
  worker.once("error", (error) => {
    fail(error instanceof Error ? error : new Error(String(error)));
  });
  worker.once("exit", () => {
    fail(new Error("The embedded database thread ended."));
  });
  await once(worker, "message");
  return {
    socketDir,
    port: socketPort,
    onFailure: (listener) => void listeners.push(listener),
    async stop() {
      stopping = true;
      if (failure === null) {
        const stopped = once(worker, "exit");
        worker.postMessage("stop");
        await stopped;
      }
      rmSync(socketDir, { recursive: true, force: true });
    },
  };
}
