import { databaseState } from "#lib/db.ts";
import { AppError } from "#lib/errors.ts";
import { stateCell } from "#lib/state.ts";

/** Whether this process is on its way out. */
export const stoppingState = stateCell<boolean>("stopping");

/** Says yes while the database answers and the process is not stopping; throws the wire's 503 otherwise. */
export async function readReadiness(): Promise<{ status: "healthy"; db: "connected" }> {
  if (stoppingState.find() === true) throw notReady("the gateway is stopping");
  try {
    await databaseState.get().ping();
  } catch {
    throw notReady("the database cannot be reached");
  }
  return { status: "healthy", db: "connected" };
}

function notReady(reason: string): AppError {
  const detail = `Service Unavailable (${reason})`;
  return new AppError("unavailable", detail, { detail });
}
