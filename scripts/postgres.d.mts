/**
 * Starts a PostgreSQL of one's own in a temporary folder, on a free port of 127.0.0.1; `stop` removes it. `crash` is
 * SIGKILL, `halt` ends it fast (SIGINT) or immediately (SIGQUIT), and `start` lets it recover on the same address, as
 * another process than `pid`.
 */
export function startPostgres(): Promise<{
  url: string;
  pid: number;
  stop(): Promise<void>;
  crash(): Promise<void>;
  halt(signal: "SIGINT" | "SIGQUIT"): Promise<void>;
  start(): Promise<void>;
}>;
