import { z } from "zod";
import type { Db } from "#lib/db.ts";
import { signerState } from "#lib/sign.ts";

/** A public key of signed statements, as a JSON Web Key. */
export const StatementKey = z.object({
  kty: z.literal("OKP"),
  crv: z.literal("Ed25519"),
  x: z.string(),
  kid: z.string(),
  use: z.literal("sig"),
  alg: z.literal("EdDSA"),
});
export type StatementKey = z.output<typeof StatementKey>;

/**
 * Every public key that a statement of this installation may be signed with, the one in use first. Keys that are not
 * configured any more stay, so that older statements can still be checked.
 */
export async function listStatementKeys(db: Db): Promise<StatementKey[]> {
  const own = signerState.get().publicKeys;
  const rows = await db.encryptionKey.findMany({ orderBy: { createdAt: "desc" }, select: { publicKey: true } });
  const stored = rows.flatMap(({ publicKey }) => StatementKey.safeParse(publicKey).data ?? []);
  return [...new Map([...own, ...stored].map((key) => [key.kid, key])).values()];
}
