import { startEmbeddedPostgres } from "#lib/embedded-postgres.ts";
import { migrate } from "#lib/migrate.ts";

/**
 * One database for a whole test run: `DATABASE_URL` where it is set, otherwise an embedded one in memory, which ends
 * with the run. The test processes find it in `SLUICE_TEST_DATABASE_URL`.
 */
export default async function setUpDatabase(): Promise<() => Promise<void>> {
  const given = process.env.DATABASE_URL;
  if (given) {
    process.env.SLUICE_TEST_DATABASE_URL = given;
    return async () => undefined;
  }
  const embedded = await startEmbeddedPostgres(null);
  await migrate({ host: embedded.socketDir, port: embedded.port, user: "postgres", database: "postgres" });
  const socket = new URLSearchParams({ host: embedded.socketDir, port: String(embedded.port) });
  process.env.SLUICE_TEST_DATABASE_URL = `postgresql://postgres@/postgres?${socket.toString()}`;
  return () => embedded.stop();
}
