import { z } from "zod";
import { configState } from "#lib/config.ts";
import type { Db } from "#lib/db.ts";
import { AppError } from "#lib/errors.ts";
import { checkDestination, DestinationCheck } from "#logging/check-destination.ts";
import { openCallback } from "#logging/open-callback.ts";
import { globalCallbacks } from "#logging/policy.ts";
import type { Environment } from "#logging/resolve-callback.ts";

/** What `GET /health/services` answers for a service that works. */
export const ServiceHealth = z.object({
  status: z.literal("success"),
  message: z.string(),
  destination: DestinationCheck,
});
export type ServiceHealth = z.output<typeof ServiceHealth>;

/**
 * Asks the destination of a global callback, for administrators. Throws 400 for a name that config.yaml does not list,
 * and 503 in the destination's own words where it does not take records.
 */
export async function checkService(db: Db, service: string, env: Environment): Promise<ServiceHealth> {
  const callbacks = globalCallbacks(configState.get());
  const callback = callbacks.find(({ callbackName }) => callbackName === service);
  if (!callback) {
    const names = callbacks.map(({ callbackName }) => callbackName).join(", ") || "none";
    const message = `${service} is not among the global callbacks of config.yaml: ${names}.`;
    throw new AppError("bad_request", message, { param: "service" });
  }
  const destination = await checkDestination(await openCallback(db, callback, { isAdmin: true, env }));
  if (destination.state === "unhealthy") throw new AppError("unavailable", destination.message, { param: "service" });
  return { status: "success", message: destination.message, destination };
}
