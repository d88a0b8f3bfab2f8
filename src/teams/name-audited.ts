import type { Db } from "#lib/db.ts";
import { masterUserId } from "#keys/master-user.ts";

/** Whom and what an audit entry names by id. */
type Named = { actor: string; objectType: string; objectId: string };

/** The names that people know actors and objects by; null for those that are gone or never had one. */
export type AuditNames = { actorName: (entry: Named) => string | null; objectName: (entry: Named) => string | null };

/** Looks up the names of everybody and everything that some audit entries name: addresses of people, aliases of the rest. */
export async function nameAudited(db: Db, entries: readonly Named[]): Promise<AuditNames> {
  const idsOf = (...types: string[]): string[] => [
    ...new Set(entries.filter(({ objectType }) => types.includes(objectType)).map(({ objectId }) => objectId)),
  ];
  const people = [...new Set([...entries.map(({ actor }) => actor), ...idsOf("user")])];
  const users = await db.user.findMany({
    where: { id: { in: people } },
    select: { id: true, email: true, alias: true },
  });
  const teams = await db.team.findMany({
    where: { id: { in: idsOf("team", "delivery") } },
    select: { id: true, alias: true },
  });
  const keys = await db.key.findMany({
    where: { token: { in: idsOf("key") } },
    select: { token: true, alias: true, keyName: true },
  });
  const names = {
    user: new Map([
      [masterUserId, "Master key"],
      ...users.map(({ id, email, alias }): [string, string | null] => [id, email ?? alias]),
    ]),
    team: new Map(teams.map(({ id, alias }) => [id, alias])),
    key: new Map(keys.map(({ token, alias, keyName }) => [token, alias ?? keyName])),
  };
  return {
    actorName: ({ actor }) => names.user.get(actor) ?? null,
    objectName: ({ objectType, objectId }) => {
      if (objectType === "user" || objectType === "key") return names[objectType].get(objectId) ?? null;
      return names.team.get(objectId) ?? null;
    },
  };
}
