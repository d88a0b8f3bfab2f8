import { z } from "zod";
import { UpstreamError } from "#lib/errors.ts";
import type { CheckResult, DeliveryContext } from "#logging/destinations/destination.ts";
import { loadCredentials } from "#logging/destinations/gcs-bucket-account.ts";
import { requestGcs, toGcsError } from "#logging/destinations/gcs-bucket-request.ts";
import { toGcsTarget, type GcsVars } from "#logging/destinations/gcs-bucket-target.ts";

const Permissions = z.object({ permissions: z.array(z.string()).default([]) });
const create = "storage.objects.create";
const read = "storage.objects.get";

/** Asks Google whether these credentials may create objects in the bucket; nothing is written. */
export async function checkGcs(vars: GcsVars, context: DeliveryContext): Promise<CheckResult> {
  try {
    const target = toGcsTarget(vars);
    const credentials = await loadCredentials(vars, { reach: context.reach, isGoogle: target.isGoogle });
    const query = new URLSearchParams([create, read].map((permission) => ["permissions", permission]));
    const path = `/storage/v1/b/${target.bucket}/iam/testPermissions?${query.toString()}`;
    const answer = await requestGcs({ target, credentials, context }, { method: "GET", path });
    const granted = Permissions.safeParse(answer.body);
    if (answer.status !== 200 || !granted.success) throw toGcsError(answer, target);
    const place = `${target.bucket}/${target.prefix}`.replace(/\/$/, "");
    if (!granted.data.permissions.includes(create)) {
      return unhealthy(`The service account may not write to the bucket ${target.bucket}: it lacks ${create}`);
    }
    const warning = granted.data.permissions.includes(read)
      ? ""
      : `; without ${read} a record whose upload was cut off ends as a dead letter`;
    return { state: "healthy", message: `Records land in the bucket ${place}${warning}`, target: place };
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    return error.status === 429 ? { ...unhealthy(error.message), state: "unverified" } : unhealthy(error.message);
  }
}

function unhealthy(message: string): CheckResult {
  return { state: "unhealthy", message, target: null };
}
