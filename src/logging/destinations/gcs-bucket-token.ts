import { findGoogleToken, findMachineToken } from "#lib/google-token.ts";
import type { DeliveryContext } from "#logging/destinations/destination.ts";
import { failedToLoad, type GcsCredentials } from "#logging/destinations/gcs-bucket-account.ts";
import { misconfigured } from "#logging/destinations/gcs-bucket-target.ts";

/** Reading and creating objects, nothing more. */
const scope = "https://www.googleapis.com/auth/devstorage.read_write";

/**
 * The access token for the credentials; null where there are none to show. Throws `UpstreamError` where Google gives
 * none. `refused` is one that does not work any more.
 */
export async function findAccessToken(
  credentials: GcsCredentials,
  { reach, signal }: Pick<DeliveryContext, "reach" | "signal">,
  refused: string | null = null,
): Promise<string | null> {
  if (credentials.kind === "none") return null;
  if (credentials.kind === "account") return findGoogleToken(credentials.account, { scope, reach, signal }, refused);
  const token = await findMachineToken(signal);
  if (token === null) throw misconfigured(failedToLoad);
  return token;
}
