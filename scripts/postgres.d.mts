/** Starts a PostgreSQL of one's own in a temporary folder, on a free port of 127.0.0.1; `stop` removes it. */
export function startPostgres(): Promise<{ url: string; pid: number; stop(): Promise<void> }>;
