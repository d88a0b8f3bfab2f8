/** Starts a PgBouncer of one's own in front of a PostgreSQL, on a free port of 127.0.0.1; `stop` removes it. */
export function startPgbouncer(postgresUrl: string): Promise<{ url: string; stop(): Promise<void> }>;
