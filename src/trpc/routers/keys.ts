import { z } from "zod";
import { blockKey } from "#keys/block-key.ts";
import { checkKeyDestinations } from "#keys/check-key-destinations.ts";
import { deleteKeys } from "#keys/delete-keys.ts";
import { createKey } from "#keys/generate-key.ts";
import { getKeyLogging } from "#keys/get-key-logging.ts";
import { getKey } from "#keys/get-key.ts";
import { GenerateKey, keyShape, UpdateKey } from "#keys/key.ts";
import { listExpiringKeys } from "#keys/list-expiring-keys.ts";
import { listTeamKeys } from "#keys/list-team-keys.ts";
import { regenerateKey } from "#keys/regenerate-key.ts";
import { updateKey } from "#keys/update-key.ts";
import { router, teamProcedure, userProcedure, writerProcedure } from "#trpc/trpc.ts";

/** A key by its hash, which is all that lists show of it. */
const Named = z.object({ key: z.string().regex(/^[0-9a-f]{64}$/, "is no hash of a key") });

/** Virtual keys. The use cases decide by the key's owner and team. */
export const keysRouter = router({
  list: teamProcedure("team_reader", [{ pattern: "/key/list", class: "key_read" }])
    .input(z.object({ search: z.string().max(256).default(""), page: z.int().min(1).max(100_000).default(1) }))
    .query(({ ctx: { db, actor }, input }) => listTeamKeys(db, actor, input)),
  /** Those that end within a week, the next first. */
  expiring: teamProcedure("team_reader", [{ pattern: "/key/list", class: "key_read" }]).query(
    ({ ctx: { db, actor }, input }) => listExpiringKeys(db, actor, input),
  ),
  get: userProcedure([{ pattern: "/key/info", class: "key_read" }])
    .input(Named)
    .query(async ({ ctx: { db, actor }, input }) => (await getKey(db, actor, input.key)).info),
  /** The answer carries the key in clear, this once. */
  generate: writerProcedure([
    { pattern: "/key/generate", class: "key_write" },
    { pattern: "/key/service-account/generate", class: "key_write" },
  ])
    .input(z.object({ fields: GenerateKey, isServiceAccount: z.boolean().default(false) }))
    .mutation(({ ctx: { db, actor }, input: { fields, isServiceAccount } }) =>
      createKey(db, actor, { input: fields, isServiceAccount }),
    ),
  update: writerProcedure([{ pattern: "/key/update", class: "key_write" }])
    .input(Named.extend({ changes: z.looseObject(keyShape) }))
    .mutation(({ ctx: { db, actor }, input: { key, changes } }) =>
      updateKey(db, actor, UpdateKey.parse({ ...changes, key })),
    ),
  /** The answer carries the new key in clear, this once. */
  regenerate: writerProcedure([{ pattern: "/key/regenerate", class: "key_write" }])
    .input(Named.extend({ grace_period: z.string().max(20).nullable().default(null) }))
    .mutation(({ ctx: { db, actor }, input }) => regenerateKey(db, actor, input)),
  block: writerProcedure([
    { pattern: "/key/block", class: "key_write" },
    { pattern: "/key/unblock", class: "key_write" },
  ])
    .input(Named.extend({ blocked: z.boolean() }))
    .mutation(({ ctx: { db, actor }, input }) => blockKey(db, actor, input)),
  delete: writerProcedure([{ pattern: "/key/delete", class: "key_write" }])
    .input(Named)
    .mutation(async ({ ctx: { db, actor }, input }) => ({
      deleted: await deleteKeys(db, actor, { keys: [input.key] }),
    })),
  logging: userProcedure([{ pattern: "/v1/logging/effective", class: "read" }])
    .input(Named)
    .query(({ ctx: { db, actor }, input }) => getKeyLogging(db, actor, { key: input.key, env: process.env })),
  /** Asks each destination that the key's calls go to, now. */
  check: writerProcedure([])
    .input(Named)
    .mutation(({ ctx: { db, actor }, input }) => checkKeyDestinations(db, actor, { key: input.key, env: process.env })),
});
