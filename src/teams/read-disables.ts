import type { Database } from "#lib/db.ts";

/** Which teams log nothing, and what of teams that were disabled lately has to be gone from a queue. */
export type Disables = {
  disabledTeamIds: readonly string[];
  purges: readonly { teamId: string; createdBeforeMs: number }[];
};

/** A record does not wait for longer: with the default settings it is dead after three days. */
const rememberedMs = 30 * 86_400_000;

/** Reads them for a process that was not there when it happened. */
export async function readDisables(db: Database["db"]): Promise<Disables> {
  const disabled = await db.team.findMany({ where: { loggingState: "disabled" }, select: { id: true } });
  const newest = await db.loggingDisable.groupBy({
    by: "teamId",
    where: { requestedAt: { gt: new Date(Date.now() - rememberedMs) } },
    _max: { requestedAt: true },
  });
  return {
    disabledTeamIds: disabled.map(({ id }) => id),
    purges: newest.flatMap(({ teamId, _max: { requestedAt } }) =>
      requestedAt === null ? [] : [{ teamId, createdBeforeMs: requestedAt.getTime() }],
    ),
  };
}
