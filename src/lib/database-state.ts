import type { PrismaClient } from "#lib/prisma/client.ts";
import { stateCell } from "#lib/state.ts";

/** An open database: the client, and the way to close it. */
export type Database = {
  db: PrismaClient;
  /** `embedded` or `postgresql`. */
  kind: "embedded" | "postgresql";
  /** Calls back if the embedded database ends by itself. */
  onFailure(listener: (error: Error) => void): void;
  close(): Promise<void>;
};

/** The open database of this process. */
export const databaseState = stateCell<Database>("database");

/** The client of the open database. Doors read it and hand it to the rooms. */
export function currentDb(): PrismaClient {
  return databaseState.get().db;
}
