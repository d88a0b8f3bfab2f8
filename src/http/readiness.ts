import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import type { Db } from "#lib/db.ts";
import { AppError } from "#lib/errors.ts";
import { stateCell } from "#lib/state.ts";

/** Whether this process is on its way out. */
export const stoppingState = stateCell<boolean>("stopping");

/** What a gateway that can serve calls says. */
export const Readiness = z.object({ status: z.literal("healthy"), db: z.literal("connected") });
export type Readiness = z.output<typeof Readiness>;

/** Says yes while the database answers and the process is not stopping; throws the wire's 503 otherwise. */
export async function readReadiness(db: Db): Promise<Readiness> {
  assertNotStopping();
  try {
    await Promise.race([db.$queryRaw`SELECT 1`, refuseLater()]);
  } catch {
    throw notReady("the database cannot be reached");
  }
  return { status: "healthy", db: "connected" };
}

const answerMsMax = 2_000;

/** Rejects when a database that answers would have. */
async function refuseLater(): Promise<never> {
  await sleep(answerMsMax, null, { ref: false });
  throw new Error("The database did not answer in time.");
}

const stoppingDetail = "Service Unavailable (the gateway is stopping)";

class StoppingError extends AppError {
  constructor() {
    super("unavailable", stoppingDetail, { detail: stoppingDetail });
  }
}

/** Throws the wire's 503 while the process is stopping. */
export function assertNotStopping(): void {
  if (stoppingState.find() === true) throw new StoppingError();
}

/** Whether this is what readiness answers while the process stops. */
export function isStopping(error: unknown): boolean {
  return error instanceof StoppingError;
}

function notReady(reason: string): AppError {
  const detail = `Service Unavailable (${reason})`;
  return new AppError("unavailable", detail, { detail });
}
