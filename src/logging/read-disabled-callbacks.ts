import { z } from "zod";
import type { Db } from "#lib/db.ts";

const Metadata = z
  .object({ litellm_disabled_callbacks: z.array(z.string()).catch([]) })
  .catch({ litellm_disabled_callbacks: [] });

/** The callbacks that a key does not want now (`litellm_disabled_callbacks`), by name in lower case. */
export async function readDisabledCallbacks(db: Db, keyHash: string): Promise<readonly string[]> {
  const columns = { select: { metadata: true } } as const;
  const key = await db.key.findUnique({ where: { token: keyHash }, ...columns });
  const former = key ?? (await db.formerToken.findUnique({ where: { token: keyHash }, select: { key: columns } }))?.key;
  return Metadata.parse(former?.metadata).litellm_disabled_callbacks.map((name) => name.toLowerCase());
}
